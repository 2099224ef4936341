import { describe, expect, it } from 'vitest';
import type { FaultOrder } from '../../src/sandbox/createSandbox.js';
import { eventBody, post } from './support/eventRequests.js';
import { exchange, getAccounts, getCode, install, refresh, revoke, type Tokens } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

describe('faults at the token endpoint', () => {
  const afterFault = async (order: FaultOrder) => {
    const running = await startSandbox();
    const tokens = await install(running.url);
    running.klaviyo.inject({ target: 'token', count: 1, ...order });
    return { ...running, tokens, response: await refresh(running.url, tokens.refresh_token) };
  };

  it.each<[FaultOrder['kind'], number, string]>([
    ['throttle', 429, 'application/vnd.api+json'],
    ['server_error', 500, 'application/vnd.api+json'],
    ['unavailable', 503, 'application/vnd.api+json'],
    ['bad_gateway_html', 502, 'text/html'],
    ['edge_challenge', 403, 'text/html'],
    ['invalid_client', 401, 'application/json'],
    ['invalid_grant', 400, 'application/json'],
  ])('%s answers %i, once', async (kind, status, type) => {
    const { url, tokens, response, klaviyo } = await afterFault({ kind });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain(type);
    expect(response.headers.get('cf-mitigated')).toBe(kind === 'edge_challenge' ? 'challenge' : null);
    expect((await refresh(url, tokens.refresh_token)).status).toBe(200);
    expect(klaviyo.counters.faults).toBe(1);
  });

  it('big_body sends 10 MB of JSON', async () => {
    const { response } = await afterFault({ kind: 'big_body' });
    expect((await response.text()).length).toBeGreaterThan(10 * 1024 * 1024);
  });

  it('reset cuts the connection', async () => {
    await expect(afterFault({ kind: 'reset' })).rejects.toThrow('fetch failed');
  });

  it('hang never answers, and does not keep the server from closing', async () => {
    const { url, klaviyo } = await startSandbox();
    klaviyo.inject({ kind: 'hang', target: 'token' });
    await expect(
      fetch(`${url}/klaviyo/oauth/token`, { method: 'POST', body: 'x', signal: AbortSignal.timeout(200) }),
    ).rejects.toThrow(/timeout/);
    fetch(`${url}/klaviyo/oauth/token`, { method: 'POST', body: 'x' }).catch(() => undefined);
  });

  it('slow is late, but right', async () => {
    const started = performance.now();
    const { response } = await afterFault({ kind: 'slow', seconds: 0.2 });
    expect(response.status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(190);
  });

  it('afterEffect does the work and loses the response', async () => {
    const { url, klaviyo } = await startSandbox();
    const code = await getCode(url);
    klaviyo.inject({ kind: 'server_error', target: 'token', count: 1, afterEffect: true });
    expect((await exchange(url, code)).status).toBe(500);
    expect(klaviyo.counters.exchanges).toBe(1);
    expect(klaviyo.installations()).toHaveLength(1);
  });

  it.each<[FaultOrder['kind'], (tokens: Partial<Tokens>, before: Tokens) => void]>([
    ['omit_refresh_token', (tokens) => expect(tokens).not.toHaveProperty('refresh_token')],
    ['omit_expires_in', (tokens) => expect(tokens).not.toHaveProperty('expires_in')],
    ['expires_in_string', (tokens) => expect(tokens.expires_in).toBe('3600')],
    ['rotate_refresh_token', (tokens, before) => expect(tokens.refresh_token).not.toBe(before.refresh_token)],
  ])('%s changes the response', async (kind, check) => {
    const { response, tokens } = await afterFault({ kind });
    expect(response.status).toBe(200);
    check((await response.json()) as Partial<Tokens>, tokens);
  });

  it('after rotate_refresh_token only the new one works', async () => {
    const { url, tokens, response } = await afterFault({ kind: 'rotate_refresh_token' });
    const { refresh_token } = (await response.json()) as Tokens;
    expect((await refresh(url, tokens.refresh_token)).status).toBe(400);
    expect((await refresh(url, refresh_token)).status).toBe(200);
  });
});

describe('faults elsewhere', () => {
  it('affect only their target', async () => {
    const { url, klaviyo } = await startSandbox();
    const tokens = await install(url);
    const fault = klaviyo.inject({ kind: 'server_error', target: 'api' });
    expect((await getAccounts(url, tokens.access_token)).status).toBe(500);
    expect((await refresh(url, tokens.refresh_token)).status).toBe(200);
    klaviyo.clearFaults(fault.id);
    expect((await getAccounts(url, tokens.access_token)).status).toBe(200);
    klaviyo.inject({ kind: 'unavailable', target: 'revoke', count: 1 });
    expect((await revoke(url, tokens.refresh_token)).status).toBe(503);
    expect((await revoke(url, tokens.refresh_token)).status).toBe(200);
  });

  it('throttle lasts its seconds', async () => {
    const { url, klaviyo, advance } = await startSandbox();
    const { access_token } = await install(url);
    klaviyo.inject({ kind: 'throttle', target: 'api', seconds: 7 });
    const refused = await post(url, 'events', access_token, eventBody());
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('7');
    advance(7_000);
    expect((await post(url, 'events', access_token, eventBody())).status).toBe(202);
    expect(klaviyo.faults()).toEqual([]);
  });
});

describe('invalidating', () => {
  it('expireAccessTokens: 401, and a refresh helps', async () => {
    const { url, klaviyo } = await startSandbox();
    const tokens = await install(url);
    expect(klaviyo.expireAccessTokens()).toBe(1);
    expect((await getAccounts(url, tokens.access_token)).status).toBe(401);
    const fresh = (await (await refresh(url, tokens.refresh_token)).json()) as Tokens;
    expect((await getAccounts(url, fresh.access_token)).status).toBe(200);
  });

  it('revokeGrant: refreshing fails, access tokens stay valid', async () => {
    const { url, klaviyo } = await startSandbox();
    const tokens = await install(url);
    klaviyo.revokeGrant('SbX001');
    expect(await (await refresh(url, tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await getAccounts(url, tokens.access_token)).status).toBe(200);
  });

  it('uninstall: every token is invalid', async () => {
    const { url, klaviyo } = await startSandbox();
    const tokens = await install(url);
    expect(klaviyo.uninstall('SbX001')).toBe(true);
    expect((await getAccounts(url, tokens.access_token)).status).toBe(401);
    expect(klaviyo.installations()).toEqual([]);
  });
});
