import type { EntityManager } from '../database/Database.js';
import { type Caller, requireWholeOrganization } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError, ProblemList } from '../domain/errors.js';
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
  readonly type: string;
}

/**
 * Creates a connection (OpenAPI create_connection): ACTIVE at once, or PENDING_AUTHORIZATION when its type needs one.
 * Throws an InputError with everything that is wrong; FORBIDDEN for a session of one connection.
 */
export function createConnection(
  { database, cipher, connectionTypes }: ConnectionDependencies,
  caller: Caller,
  input: CreateConnectionInput,
  /** The transaction to do it in; one of its own when not given. */
  within?: EntityManager,
): Promise<Connection> {
  requireWholeOrganization(caller);
  const type = connectionTypes.get(input.type);
  if (!type) throw InputError.of('INVALID_CHOICE', 'There is no such connection type.', 'type');
  const problems = new ProblemList();
  const name = checkName(input.name, problems);
  checkPace(input, problems);
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
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    if (secrets) {
      // They are bound to the row's id, which only the database knows.
      connection.authConfig = encryptSecrets(cipher, connection.id, secrets);
      await em.flush();
    }
    return connection;
  };
  return within ? create(within) : database.transaction(create);
}
