import { isDeepStrictEqual } from 'node:util';
import { LockMode } from '@mikro-orm/core';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection, type KlaviyoConfiguration, type WebhookConfiguration } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { InputError, ProblemList } from '../domain/errors.js';
import {
  type CheckedWebhook,
  type ConnectionRules,
  checkKlaviyo,
  checkName,
  checkPace,
  checkWebhook,
  type KlaviyoInput,
  type PaceInput,
  type WebhookInput,
} from './checkConfiguration.js';

interface UpdateConnectionInput extends PaceInput {
  readonly id: string;
  /** Undefined: as it was. Null or blank: no name. */
  readonly name?: string | null;
  readonly webhook?: WebhookInput | null;
  readonly klaviyo?: KlaviyoInput | null;
  /** False disables it; true brings a disabled one back. */
  readonly isEnabled?: boolean | null;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly connectionRules: ConnectionRules;
}

/**
 * Changes what is given and nothing else (OpenAPI patch_connection). The type never changes. What is as it was stays as it
 * was: `updatedAt` too, when that is all.
 * Throws an InputError: NOT_FOUND, or everything that is wrong.
 */
export function updateConnection(
  { database, cipher, connectionRules: rules }: Dependencies,
  caller: Caller,
  input: UpdateConnectionInput,
): Promise<Connection> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, reachableConnection(caller, input.id), {
      lockMode: LockMode.PESSIMISTIC_WRITE,
    });
    if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'id');

    const before = changeable(connection);
    const problems = new ProblemList();
    checkPace(input, problems);
    if (input.maxConcurrency !== undefined) connection.maxConcurrency = input.maxConcurrency;
    if (input.maxPerSecond !== undefined) connection.maxPerSecond = input.maxPerSecond;
    if (input.name !== undefined) connection.name = checkName(input.name, problems);
    const other = connection.type === 'webhook' ? 'klaviyo' : 'webhook';
    if (input[other]) problems.add('INVALID', `A ${connection.type} connection takes no "${other}" configuration.`, other);
    if (connection.type === 'webhook' && input.webhook) {
      const identity = columnIdentity.webhookAuthConfig(connection.id);
      const stored: CheckedWebhook = {
        configuration: connection.configuration as WebhookConfiguration,
        authConfig: connection.authConfig ? JSON.parse(cipher.decrypt(connection.authConfig, identity)) : null,
      };
      const { configuration, authConfig } = checkWebhook(input.webhook, stored, rules, problems);
      connection.configuration = configuration;
      // The same secrets would make another ciphertext.
      if (!isDeepStrictEqual(authConfig, stored.authConfig))
        connection.authConfig = authConfig && cipher.encrypt(JSON.stringify(authConfig), identity);
    }
    if (connection.type === 'klaviyo' && input.klaviyo) {
      connection.configuration = checkKlaviyo(input.klaviyo, connection.configuration as KlaviyoConfiguration, rules, problems);
    }
    problems.throwIfAny();
    if (typeof input.isEnabled === 'boolean') await switchConnection(em, connection, input.isEnabled);
    if (isDeepStrictEqual(changeable(connection), before)) return connection;
    connection.updatedAt = new Date();
    await em.flush();
    return connection;
  });
}

function changeable({ name, status, statusReason, configuration, authConfig, maxConcurrency, maxPerSecond }: Connection) {
  return { name, status, statusReason, configuration, authConfig, maxConcurrency, maxPerSecond };
}

/** Turns a connection off, or a disabled one on again: a webhook at once, Klaviyo as far as its grant goes. */
async function switchConnection(em: EntityManager, connection: Connection, isEnabled: boolean): Promise<void> {
  if (!isEnabled) {
    em.assign(connection, { status: 'disabled', statusReason: 'It was turned off.' });
    return;
  }
  if (connection.status !== 'disabled') return;
  const credential = connection.type === 'webhook' ? null : await em.findOne(Credential, { connectionId: connection.id });
  const ready = connection.type === 'webhook' || Boolean(credential?.accessToken);
  em.assign(
    connection,
    ready
      ? { status: 'active', statusReason: null }
      : { status: 'pending_authorization', statusReason: 'It has to be authorized first.' },
  );
}
