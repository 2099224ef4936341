import fastify from 'fastify';
import { onTestFinished } from 'vitest';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../../src/sandbox/createSandbox.js';

// Contains characters that percent-encoding would change, so that a difference shows.
export const CLIENT_ID = 'app id+1';
export const CLIENT_SECRET = 's3cr:et/%&=';
export const REDIRECT_URI = 'https://app.example/oauth/klaviyo/callback';

export interface RunningSandbox extends Sandbox {
  /** Public URL of the mount point. */
  url: string;
  /** Moves the sandbox's clock forward. */
  advance(ms: number): void;
}

/** Starts a server with the sandbox below /sandbox, and a clock that stands still until it is moved. */
export async function startSandbox(options: Partial<SandboxOptions> = {}): Promise<RunningSandbox> {
  let time = Date.parse('2026-08-01T12:00:00Z');
  let url = '';
  const sandbox = createSandbox({
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    redirectUris: [REDIRECT_URI],
    appScopes: ['accounts:read', 'events:write', 'profiles:read'],
    baseUrl: () => url,
    now: () => time,
    ...options,
  });
  const app = fastify();
  // Sets a header on the raw response, as a helmet plugin around the sandbox would do.
  app.addHook('onRequest', async (_request, reply) => void reply.raw.setHeader('cross-origin-opener-policy', 'same-origin'));
  app.register(sandbox.plugin, { prefix: '/sandbox' });
  url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/sandbox`;
  onTestFinished(() => app.close());
  const advance = (ms: number) => {
    time += ms;
  };
  return { ...sandbox, url, advance };
}
