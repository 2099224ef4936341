import { isDeepStrictEqual } from 'node:util';
import { recordAudit } from '../database/auditLog.js';
import type { EntityManager } from '../database/Database.js';
import { withExternalId } from '../database/externalIds.js';
import { lockConnection } from '../database/lockConnection.js';
import type { Caller } from '../domain/Caller.js';
import type { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { checkExternalId, checkMetadata, refuseNotes } from '../domain/Metadata.js';
import {
  type ConnectionDependencies,
  type ConnectionInput,
  type ConnectionRules,
  checkName,
  checkPace,
  decryptSecrets,
  encryptSecrets,
  ownInput,
} from './ConnectionRules.js';
import { auditFacts } from './createConnection.js';

/** Undefined fields stay unchanged. */
interface UpdateConnectionInput extends ConnectionInput {
  readonly id: string;
  /** False disables the connection. True enables a disabled one. */
  readonly isEnabled?: boolean | null;
}

/**
 * Updates the given fields of a connection (OpenAPI patch_connection). The type never changes. When no value differs from
 * the stored one, `updatedAt` stays too. Throws an InputError: NOT_FOUND, CONFLICT for an externalId that another connection
 * has, or all problems.
 */
export function updateConnection(
  { database, cipher, connectionTypes }: ConnectionDependencies,
  caller: Caller,
  input: UpdateConnectionInput,
): Promise<Connection> {
  const change = async (em: EntityManager): Promise<Connection> => {
    const connection = await lockConnection(em, caller, input.id, 'id');

    const before = changeable(connection);
    const told = auditFacts(connection);
    const configurationBefore = connection.configuration;
    const problems = new ProblemList();
    checkPace(input, problems);
    if (input.maxConcurrency !== undefined) connection.maxConcurrency = input.maxConcurrency;
    if (input.maxPerSecond !== undefined) connection.maxPerSecond = input.maxPerSecond;
    refuseNotes(caller, input, problems);
    checkExternalId(input.externalId, problems, 'externalId');
    if (input.externalId !== undefined) connection.externalId = input.externalId;
    if (input.metadata !== undefined) connection.metadata = checkMetadata(input.metadata, problems, 'metadata');
    if (input.name !== undefined) connection.name = checkName(input.name, problems);
    const type = connectionTypes.get(connection.type);
    if (!type) throw InputError.of('INVALID', `This server has no ${connection.type} connections any more.`, 'id');
    const own = ownInput(connectionTypes, type.name, input, problems);
    if (own) {
      const stored = {
        configuration: connection.configuration,
        secrets: decryptSecrets(cipher, connection.id, connection.authConfig),
      };
      const { configuration, secrets } = type.check(own, stored, problems);
      connection.configuration = configuration;
      // Encrypting the same secrets again would produce another ciphertext.
      if (!isDeepStrictEqual(secrets, stored.secrets))
        connection.authConfig = secrets && encryptSecrets(cipher, connection.id, secrets);
    }
    problems.throwIfAny();
    if (typeof input.isEnabled === 'boolean') await switchConnection(em, connection, type, input.isEnabled);
    if (isDeepStrictEqual(changeable(connection), before)) return connection;
    connection.updatedAt = new Date();
    await em.flush();
    const now = auditFacts(connection);
    // A header's value is treated as a secret: the audit log says that it changed, not its value.
    const headersChanged =
      isDeepStrictEqual(now.configuration, told.configuration) &&
      !isDeepStrictEqual(connection.configuration, configurationBefore);
    const replaced = headersChanged || connection.authConfig !== before.authConfig ? { secrets: 'replaced' } : {};
    await recordAudit(em, caller, {
      ...{ action: 'connection_updated', subject: ['connection', connection.id], before: told },
      after: { ...now, ...replaced },
    });
    return connection;
  };
  return withExternalId(database, 'connections', caller, input.externalId, () => database.transaction(change));
}

function changeable(connection: Connection) {
  const { statusReason, authConfig } = connection;
  return { ...auditFacts(connection), configuration: connection.configuration, statusReason, authConfig };
}

/** Disables a connection, or enables a disabled one: as ACTIVE, or as PENDING_AUTHORIZATION without a grant. */
async function switchConnection(
  em: EntityManager,
  connection: Connection,
  { needsAuthorization }: ConnectionRules,
  isEnabled: boolean,
): Promise<void> {
  if (!isEnabled) {
    em.assign(connection, { status: 'disabled', statusReason: 'It was turned off.', statusReasonCode: 'switched_off' });
    return;
  }
  if (connection.status !== 'disabled') return;
  const credential = needsAuthorization ? await em.findOne(Credential, { connectionId: connection.id }) : null;
  em.assign(
    connection,
    !needsAuthorization || credential?.accessToken
      ? { status: 'active', statusReason: null, statusReasonCode: null }
      : {
          status: 'pending_authorization',
          statusReason: 'It has to be authorized first.',
          statusReasonCode: 'not_authorized_yet',
        },
  );
}
