import { describe, expect, it } from 'vitest';
import { getAccounts, install, refresh, type Tokens } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

const DAY = 24 * 3_600_000;

describe('RFC 6749, 6: refreshing', () => {
  it('gives a new access token and the same refresh token; the old access token stays valid', async () => {
    const { url, klaviyo, advance } = await startSandbox();
    const first = await install(url);
    const second = (await (await refresh(url, first.refresh_token)).json()) as Tokens;
    expect(second.access_token).not.toBe(first.access_token);
    expect(second.refresh_token).toBe(first.refresh_token);
    expect((await getAccounts(url, first.access_token)).status).toBe(200);
    advance(1_000);
    expect((await getAccounts(url, second.access_token)).status).toBe(200);
    expect(klaviyo.counters.refreshes).toBe(1);
  });

  it('is throttled after ten in a minute, per installation', async () => {
    const { url, advance } = await startSandbox();
    const { refresh_token } = await install(url, 'SbX001');
    const other = await install(url, 'SbX002');
    for (let count = 0; count < 10; count += 1) expect((await refresh(url, refresh_token)).status).toBe(200);
    const refused = await refresh(url, refresh_token);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'throttled' }] });
    expect((await refresh(url, other.refresh_token)).status).toBe(200);
    advance(60_000);
    expect((await refresh(url, refresh_token)).status).toBe(200);
  });

  it('expires after 90 days without use, and stays valid when used', async () => {
    const { url, advance } = await startSandbox();
    const { refresh_token } = await install(url);
    advance(89 * DAY);
    expect((await refresh(url, refresh_token)).status).toBe(200);
    advance(89 * DAY);
    expect((await refresh(url, refresh_token)).status).toBe(200);
    advance(91 * DAY);
    const dead = await refresh(url, refresh_token);
    expect(dead.status).toBe(400);
    expect(await dead.json()).toMatchObject({ error: 'invalid_grant' });
  });

  it('access tokens expire after an hour', async () => {
    const { url, advance } = await startSandbox();
    const { access_token } = await install(url);
    advance(3_600_000 - 1);
    expect((await getAccounts(url, access_token)).status).toBe(200);
    advance(1);
    expect((await getAccounts(url, access_token)).status).toBe(401);
  });
});
