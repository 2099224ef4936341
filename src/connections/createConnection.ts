import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, requireWholeOrganization } from '../domain/Caller.js';
import { Connection, type ConnectionType } from '../domain/Connection.js';
import { ProblemList } from '../domain/errors.js';
import {
  type ConnectionRules,
  checkKlaviyo,
  checkName,
  checkPace,
  checkWebhook,
  type KlaviyoInput,
  type PaceInput,
  type WebhookInput,
} from './checkConfiguration.js';

export interface CreateConnectionInput extends PaceInput {
  readonly type: ConnectionType;
  readonly name?: string | null;
  readonly webhook?: WebhookInput | null;
  readonly klaviyo?: KlaviyoInput | null;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly connectionRules: ConnectionRules;
}

/**
 * Creates a connection (OpenAPI create_connection). A webhook is ACTIVE at once; Klaviyo waits for its authorization.
 * Throws an InputError with everything that is wrong; FORBIDDEN for a session of one connection.
 */
export function createConnection(
  { database, cipher, connectionRules: rules }: Dependencies,
  caller: Caller,
  input: CreateConnectionInput,
  /** The transaction to do it in; one of its own when not given. */
  within?: EntityManager,
): Promise<Connection> {
  requireWholeOrganization(caller);
  const problems = new ProblemList();
  const name = checkName(input.name, problems);
  checkPace(input, problems);
  const other = input.type === 'webhook' ? 'klaviyo' : 'webhook';
  if (input[other]) problems.add('INVALID', `A ${input.type} connection takes no "${other}" configuration.`, other);
  if (input.type === 'webhook' && !input.webhook)
    problems.add('REQUIRED', 'A webhook connection needs its "webhook" configuration.', 'webhook');
  const webhook = input.type === 'webhook' && input.webhook ? checkWebhook(input.webhook, null, rules, problems) : null;
  const configuration = webhook?.configuration ?? checkKlaviyo(input.klaviyo ?? {}, null, rules, problems);
  problems.throwIfAny();

  const create = async (em: EntityManager): Promise<Connection> => {
    const now = new Date();
    const connection = em.create(Connection, {
      organizationId: caller.organizationId,
      type: input.type,
      name,
      status: input.type === 'webhook' ? 'active' : 'pending_authorization',
      statusReason: input.type === 'webhook' ? null : 'Nobody has authorized it yet.',
      configuration,
      maxConcurrency: input.maxConcurrency ?? null,
      maxPerSecond: input.maxPerSecond ?? null,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    if (webhook?.authConfig) {
      // The secrets are bound to the row's id, which only the database knows.
      connection.authConfig = cipher.encrypt(JSON.stringify(webhook.authConfig), columnIdentity.webhookAuthConfig(connection.id));
      await em.flush();
    }
    return connection;
  };
  return within ? create(within) : database.transaction(create);
}
