import { join } from 'node:path';
import type { Config } from './config.js';
import type { Database } from './database/Database.js';
import type { Logger } from './domain/Logger.js';
import type { BoundedFetch } from './klaviyo/createBoundedFetch.js';
import { klaviyoScopes } from './klaviyo/klaviyoScopes.js';
import type { KlaviyoPlace } from './klaviyo/klaviyoType.js';
import { createSandbox, type Sandbox } from './sandbox/createSandbox.js';
import { fetchFromSandbox, loadSandboxSecret, SOMEWHERE, tellSandboxUrl } from './sandboxPlace.js';

interface Place {
  readonly database: Database;
  readonly publicUrl: string;
  readonly port: number;
  /** The URL to which Klaviyo sends browsers back. */
  readonly redirectUri: string;
  readonly log: Logger;
  readonly closing: AsyncDisposableStack;
}

/** Opens Klaviyo itself, or the sandbox in its place, or neither. */
export async function composeKlaviyo(
  config: Config,
  { database, publicUrl, port, redirectUri, log, closing }: Place,
): Promise<{ readonly klaviyo: KlaviyoPlace /** Null unless this process serves it. */; readonly sandbox: Sandbox | null }> {
  const { app, authorizeUrl, apiUrl, revision, scopes, backfillAfterMs } = config.klaviyo;
  const unknownScopes = scopes.filter((scope) => !klaviyoScopes.some(({ name }) => name === scope));
  if (unknownScopes.length > 0)
    log.warn({ unknownScopes }, 'KLAVIYO_SCOPES names scopes that this server does not know of Klaviyo');
  const common = { revision, scopes, backfillAfterMs };
  if (app || !config.sandbox) {
    const reach = (through: BoundedFetch) => through;
    return { klaviyo: { ...common, app, authorizeUrl, apiUrl, reach, sandbox: false }, sandbox: null };
  }

  const credentials = {
    clientId: config.sandboxApp.clientId ?? 'switchboard-sandbox',
    clientSecret: config.sandboxApp.clientSecret ?? (await loadSandboxSecret(database)),
  };
  const serves = config.role !== 'worker';
  const sandbox = serves
    ? createSandbox({
        ...credentials,
        redirectUris: [redirectUri, ...config.sandboxApp.redirectUris],
        appScopes: klaviyoScopes.map(({ name }) => name),
        baseUrl: () => `${publicUrl}/sandbox`,
        stateFile: join(config.dataDir, 'sandbox.json'),
      })
    : null;
  if (sandbox) {
    closing.defer(() => sandbox.close());
    await tellSandboxUrl(database, `${publicUrl}/sandbox`);
  }
  // A process with ROLE=worker serves no sandbox. It uses the configured URL, or looks up the process that serves the sandbox.
  const place = serves ? `http://127.0.0.1:${port}/sandbox` : config.publicUrl ? `${publicUrl}/sandbox` : SOMEWHERE;
  const klaviyo = {
    ...common,
    app: credentials,
    authorizeUrl: `${publicUrl}/sandbox/klaviyo/oauth/authorize`,
    apiUrl: `${place}/klaviyo`,
    reach: (through: BoundedFetch) => (place === SOMEWHERE ? fetchFromSandbox(database, through) : through),
    sandbox: true,
  };
  return { klaviyo, sandbox };
}
