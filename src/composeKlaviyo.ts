import { join } from 'node:path';
import type { Config } from './config.js';
import type { Database } from './database/Database.js';
import type { Logger } from './domain/Logger.js';
import { type BoundedFetch, createBoundedFetch } from './klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from './klaviyo/KlaviyoOAuth.js';
import { KlaviyoRateLimits } from './klaviyo/KlaviyoRateLimits.js';
import { klaviyoScopes } from './klaviyo/klaviyoScopes.js';
import { createSandbox, type Sandbox } from './sandbox/createSandbox.js';
import { fetchFromSandbox, loadSandboxSecret, SOMEWHERE, tellSandboxUrl } from './sandboxPlace.js';

export interface KlaviyoParts {
  /** Null when there is neither an app nor the sandbox. */
  readonly klaviyo: KlaviyoOAuth | null;
  /** Null unless this process serves it. */
  readonly sandbox: Sandbox | null;
  /** Where its API is, for a fetch that went through `reach`. */
  readonly apiUrl: string;
  readonly reach: (fetch: BoundedFetch) => BoundedFetch;
}

interface Place {
  readonly database: Database;
  readonly publicUrl: string;
  readonly port: number;
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
}

/** Klaviyo itself, or the sandbox in its place, or neither. */
export async function composeKlaviyo(config: Config, { database, publicUrl, port, log, closing }: Place): Promise<KlaviyoParts> {
  const { app, authorizeUrl, apiUrl, revision, scopes } = config.klaviyo;
  const unknownScopes = scopes.filter((scope) => !klaviyoScopes.some(({ name }) => name === scope));
  if (unknownScopes.length > 0)
    log.warn({ unknownScopes }, 'KLAVIYO_SCOPES names scopes that this server does not know of Klaviyo');
  const limits = new KlaviyoRateLimits(database);
  const common = { redirectUri: `${publicUrl}/oauth/klaviyo/callback`, revision, defaultScopes: scopes, limits };
  const fetch = createBoundedFetch({ timeoutMs: 10_000, maxBodyBytes: 64 * 1024 });
  if (app) {
    const klaviyo = new KlaviyoOAuth({ ...common, ...app, fetch, authorizeUrl, apiUrl, sandbox: false });
    return { klaviyo, sandbox: null, apiUrl, reach: (through) => through };
  }
  if (!config.sandbox) return { klaviyo: null, sandbox: null, apiUrl, reach: (through) => through };

  const credentials = {
    clientId: config.sandboxApp.clientId ?? 'switchboard-sandbox',
    clientSecret: config.sandboxApp.clientSecret ?? (await loadSandboxSecret(database)),
  };
  const serves = config.role !== 'worker';
  const sandbox = serves
    ? createSandbox({
        ...credentials,
        redirectUris: [common.redirectUri, ...config.sandboxApp.redirectUris],
        appScopes: klaviyoScopes.map(({ name }) => name),
        baseUrl: () => `${publicUrl}/sandbox`,
        stateFile: join(config.dataDir, 'sandbox.json'),
      })
    : null;
  if (sandbox) {
    closing.defer(() => sandbox.close());
    await tellSandboxUrl(database, `${publicUrl}/sandbox`);
  }
  // A worker serves no sandbox: it finds the one of the process that does, by itself unless it was told where.
  const place = serves ? `http://127.0.0.1:${port}/sandbox` : config.publicUrl ? `${publicUrl}/sandbox` : SOMEWHERE;
  const reach = (through: BoundedFetch): BoundedFetch => (place === SOMEWHERE ? fetchFromSandbox(database, through) : through);
  const klaviyo = new KlaviyoOAuth({
    ...{ ...common, ...credentials },
    fetch: reach(fetch),
    authorizeUrl: `${publicUrl}/sandbox/klaviyo/oauth/authorize`,
    apiUrl: `${place}/klaviyo`,
    sandbox: true,
  });
  return { klaviyo, sandbox, apiUrl: `${place}/klaviyo`, reach };
}
