import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from './config.js';
import { createBoundedFetch } from './klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from './klaviyo/KlaviyoOAuth.js';
import { klaviyoScopes } from './klaviyo/klaviyoScopes.js';
import { ConfigError } from './readEnvironment.js';
import { createSandbox, type Sandbox } from './sandbox/createSandbox.js';

export interface KlaviyoParts {
  readonly klaviyo: KlaviyoOAuth;
  /** Null when a real provider is configured. */
  readonly sandbox: Sandbox | null;
  /** Where its API is. */
  readonly apiUrl: string;
}

/** Klaviyo itself, or the sandbox in its place. */
export function composeKlaviyo(config: Config, publicUrl: string, port: number, closing: AsyncDisposableStack): KlaviyoParts {
  const { app, authorizeUrl, apiUrl, revision, scopes } = config.klaviyo;
  const unknown = scopes.find((scope) => !klaviyoScopes.some(({ name }) => name === scope));
  if (unknown !== undefined) {
    throw new ConfigError(
      `KLAVIYO_SCOPES got ${JSON.stringify(unknown)}, but wants scopes that Klaviyo knows, such as events:write.`,
    );
  }
  const common = {
    redirectUri: `${publicUrl}/oauth/klaviyo/callback`,
    revision,
    defaultScopes: scopes,
    fetch: createBoundedFetch({ timeoutMs: 10_000, maxBodyBytes: 64 * 1024 }),
  };
  if (app)
    return { klaviyo: new KlaviyoOAuth({ ...common, ...app, authorizeUrl, apiUrl, sandbox: false }), sandbox: null, apiUrl };

  const clientId = 'switchboard-sandbox';
  const clientSecret = randomBytes(24).toString('base64url');
  const sandbox = createSandbox({
    clientId,
    clientSecret,
    redirectUris: [common.redirectUri],
    appScopes: klaviyoScopes.map(({ name }) => name),
    baseUrl: () => `${publicUrl}/sandbox`,
    stateFile: join(config.dataDir, 'sandbox.json'),
  });
  closing.defer(() => sandbox.close());
  // A worker serves no sandbox: it finds the one of the process that does.
  const sandboxApiUrl = config.role === 'worker' ? `${publicUrl}/sandbox/klaviyo` : `http://127.0.0.1:${port}/sandbox/klaviyo`;
  const klaviyo = new KlaviyoOAuth({
    ...common,
    clientId,
    clientSecret,
    authorizeUrl: `${publicUrl}/sandbox/klaviyo/oauth/authorize`,
    apiUrl: sandboxApiUrl,
    sandbox: true,
  });
  return { klaviyo, sandbox, apiUrl: sandboxApiUrl };
}
