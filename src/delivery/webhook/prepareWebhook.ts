import type { Cipher } from '../../database/Cipher.js';
import { columnIdentity } from '../../database/columnIdentity.js';
import type { WebhookConfiguration } from '../../domain/Connection.js';
import type { DestinationConnection } from '../DeliveryJob.js';
import { authHeaders } from './authHeaders.js';

/** What all deliveries to one webhook have in common, secrets decrypted. Never to be logged. */
export interface PreparedWebhook {
  readonly url: string;
  /** All but the signature's, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The secrets that sign at a time (ms since 1970): the current one, and the one before until it expires. */
  secretsAt(nowMs: number): readonly string[];
}

/** Throws when a secret can't be decrypted. */
export function prepareWebhook(
  cipher: Cipher,
  connection: DestinationConnection & { readonly signingSecret: string },
): PreparedWebhook {
  const { id, authConfig, previousSigningSecret, previousSigningSecretExpiresAt } = connection;
  const { url, authType, extraHeaders } = connection.configuration as WebhookConfiguration;
  const auth = authConfig === null ? {} : JSON.parse(cipher.decrypt(authConfig, columnIdentity.webhookAuthConfig(id)));
  const headers: Record<string, string> = {};
  // Later ones win: a merchant's extra header never replaces one that the exchange depends on.
  for (const { name, value } of extraHeaders) headers[name.toLowerCase()] = value;
  Object.assign(headers, authHeaders(authType, auth));
  headers['content-type'] = 'application/json';
  headers['user-agent'] = 'Switchboard/1.0';

  const current = [cipher.decrypt(connection.signingSecret, columnIdentity.signingSecret(id))];
  const previous = previousSigningSecret && cipher.decrypt(previousSigningSecret, columnIdentity.signingSecret(id));
  const both = previous ? [...current, previous] : current;
  const expiresAtMs = previousSigningSecretExpiresAt?.getTime() ?? 0;
  return { url, headers, secretsAt: (nowMs) => (nowMs < expiresAtMs ? both : current) };
}
