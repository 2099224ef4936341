import { recordAudit } from '../database/auditLog.js';
import type { EntityManager } from '../database/Database.js';
import { withExternalId } from '../database/externalIds.js';
import { type Caller, requireWholeOrganization } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { checkExternalId, checkMetadata, refuseNotes } from '../domain/Metadata.js';
import {
  type ConnectionDependencies,
  type ConnectionInput,
  checkName,
  checkPace,
  encryptSecrets,
  ownInput,
} from './ConnectionRules.js';

export interface CreateConnectionInput extends ConnectionInput {
  /** The name of a connection type. */
  readonly type: string | undefined;
}

/**
 * Creates a connection (OpenAPI create_connection): ACTIVE at once, or PENDING_AUTHORIZATION when its type needs an
 * authorization. Throws an InputError with all problems; CONFLICT when another connection has its externalId; FORBIDDEN for
 * a session of one connection.
 */
export function createConnection(
  { database, cipher, connectionTypes }: ConnectionDependencies,
  caller: Caller,
  input: CreateConnectionInput,
  /** The transaction to use. By default it opens its own. */
  within?: EntityManager,
): Promise<Connection> {
  requireWholeOrganization(caller);
  if (!input.type) throw InputError.of('REQUIRED', 'A connection needs a "configuration", or a "type".', 'type');
  const type = connectionTypes.get(input.type);
  if (!type) throw InputError.of('INVALID_CHOICE', 'There is no such connection type.', 'type');
  const problems = new ProblemList();
  const name = checkName(input.name, problems);
  checkPace(input, problems);
  refuseNotes(caller, input, problems);
  checkExternalId(input.externalId, problems, 'externalId');
  const metadata = checkMetadata(input.metadata, problems, 'metadata');
  const own = ownInput(connectionTypes, type.name, input, problems);
  if (type.needsConfiguration && !own)
    problems.add('REQUIRED', `A ${type.name} connection needs its "${type.name}" configuration.`, type.name);
  const checked = type.needsConfiguration && !own ? null : type.check(own ?? {}, null, problems);
  problems.throwIfAny();
  const { configuration = {}, secrets = null } = checked ?? {};

  const create = async (em: EntityManager): Promise<Connection> => {
    const now = new Date();
    const connection = em.create(Connection, {
      organizationId: caller.organizationId,
      type: type.name,
      name,
      status: type.needsAuthorization ? 'pending_authorization' : 'active',
      statusReason: type.needsAuthorization ? 'Nobody has authorized it yet.' : null,
      statusReasonCode: type.needsAuthorization ? 'not_authorized_yet' : null,
      configuration,
      maxConcurrency: input.maxConcurrency ?? null,
      maxPerSecond: input.maxPerSecond ?? null,
      externalId: input.externalId ?? null,
      metadata,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    if (secrets) {
      // The secrets are bound to the row's id, which the database assigns.
      connection.authConfig = encryptSecrets(cipher, connection.id, secrets);
      await em.flush();
    }
    const subject = ['connection', connection.id] as const;
    await recordAudit(em, caller, { action: 'connection_created', subject, after: auditFacts(connection) });
    return connection;
  };
  if (within) return create(within);
  return withExternalId(database, 'connections', caller, input.externalId, () => database.transaction(create));
}

/**
 * Returns what the audit log stores about a connection: the fields that everyone may see, without the values of headers,
 * which are often keys of the endpoint, and without encrypted fields.
 */
export function auditFacts(connection: Connection) {
  const { type, name, status, maxConcurrency, maxPerSecond, externalId, metadata } = connection;
  const withoutValues = (key: string, value: unknown) => (key === 'value' ? undefined : value);
  const configuration: unknown = JSON.parse(JSON.stringify(connection.configuration, withoutValues));
  return { type, name, status, configuration, maxConcurrency, maxPerSecond, externalId, metadata };
}
