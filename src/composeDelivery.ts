import type { KlaviyoParts } from './composeKlaviyo.js';
import type { Config } from './config.js';
import type { Cipher } from './database/Cipher.js';
import type { Database } from './database/Database.js';
import type { Destination } from './delivery/Destination.js';
import { createGuardedHttp } from './delivery/http/guardedHttp.js';
import { ensureSigningSecret } from './delivery/signingSecrets.js';
import { WebhookDestination } from './delivery/WebhookDestination.js';
import type { ConnectionType } from './domain/Connection.js';
import { createBoundedFetch } from './klaviyo/createBoundedFetch.js';
import { KlaviyoDestination } from './klaviyo/KlaviyoDestination.js';
import { KlaviyoRateLimits } from './klaviyo/KlaviyoRateLimits.js';
import type { ProviderAccessToken } from './oauth/getProviderAccessToken.js';

interface Parts {
  readonly config: Config;
  readonly database: Database;
  readonly cipher: Cipher;
  readonly klaviyo: Pick<KlaviyoParts, 'apiUrl' | 'reach'>;
  readonly accessToken: (connectionId: number, refusedVersion?: number) => Promise<ProviderAccessToken>;
  readonly scopeMissing: (connectionId: number, version: number, scope: string) => Promise<void>;
  readonly closing: AsyncDisposableStack;
}

/** A refused bulk request has an error for each of up to 1,000 events. */
const KLAVIYO_ANSWER_BYTES = 1024 * 1024;

/** Networks that webhooks may point to though they are not public. In embedded mode everything is on one machine, the receiver included. */
export function allowedNetworks({ embedded, delivery }: Config): readonly string[] {
  return embedded ? ['127.0.0.0/8', '::1/128', ...delivery.allowPrivateNetworks] : delivery.allowPrivateNetworks;
}

/** Where deliveries can go, by connection type. A new destination is one line here. */
export function composeDestinations(parts: Parts): ReadonlyMap<ConnectionType, Destination> {
  const { config, database, cipher, klaviyo, accessToken, scopeMissing, closing } = parts;
  const { timeoutMs } = config.delivery;
  const http = createGuardedHttp({ allowPrivateNetworks: [...allowedNetworks(config)], timeoutMs });
  closing.defer(() => http.close());
  return new Map<ConnectionType, Destination>([
    [
      'webhook',
      new WebhookDestination({
        http,
        cipher,
        timeoutMs,
        ensureSigningSecret: (connectionId) => ensureSigningSecret({ database, cipher }, connectionId),
      }),
    ],
    [
      'klaviyo',
      new KlaviyoDestination({
        apiUrl: klaviyo.apiUrl,
        revision: config.klaviyo.revision,
        fetch: klaviyo.reach(createBoundedFetch({ timeoutMs: Math.min(timeoutMs, 10_000), maxBodyBytes: KLAVIYO_ANSWER_BYTES })),
        cipher,
        limits: new KlaviyoRateLimits(database),
        backfillAfterMs: config.klaviyo.backfillAfterMs,
        accessToken,
        scopeMissing,
      }),
    ],
  ]);
}
