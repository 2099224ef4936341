import fastify from 'fastify';
import { klaviyoScopes } from '../../src/klaviyo/klaviyoScopes.js';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/createSandbox.js';

const CLIENT_ID = 'test app+1';
export const CLIENT_SECRET = 's3cr:et/%&=of-the-tests';

export interface StandaloneSandbox extends Sandbox {
  readonly origin: string;
  /** Returns the environment of a server at `publicUrl` that uses this Klaviyo, and allows its redirect URI. */
  environmentFor(publicUrl: string): Record<string, string>;
}

/** Starts the sandbox as a separate server, as the real Klaviyo is, so that several servers can share it. */
export async function startStandaloneSandbox(
  options: Pick<SandboxOptions, 'accessTokenSeconds'> = {},
): Promise<StandaloneSandbox> {
  const redirectUris: string[] = [];
  let origin = '';
  const sandbox = createSandbox({
    ...options,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUris,
    appScopes: klaviyoScopes.map(({ name }) => name),
    baseUrl: () => `${origin}/sandbox`,
  });
  const app = fastify({ forceCloseConnections: true });
  await app.register(sandbox.plugin, { prefix: '/sandbox' });
  origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    ...sandbox,
    origin,
    environmentFor(publicUrl) {
      redirectUris.push(`${publicUrl}/oauth/klaviyo/callback`);
      return {
        KLAVIYO_CLIENT_ID: CLIENT_ID,
        KLAVIYO_CLIENT_SECRET: CLIENT_SECRET,
        KLAVIYO_AUTHORIZE_URL: `${origin}/sandbox/klaviyo/oauth/authorize`,
        KLAVIYO_API_URL: `${origin}/sandbox/klaviyo`,
      };
    },
    close: () => app.close(),
  };
}
