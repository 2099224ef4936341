import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepInstalls } from '../../../src/oauth/installs.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let bare: TestSwitchboard;
let withFrontend: TestSwitchboard;
beforeAll(async () => {
  [bare, withFrontend] = await Promise.all([
    startSwitchboard(),
    startSwitchboard({ INSTALL_URL: 'https://app.example.com/install?from=klaviyo' }),
  ]);
});
afterAll(() => Promise.all([bare.close(), withFrontend.close()]));

const install = (server: TestSwitchboard, query = '') =>
  fetch(`${server.publicUrl}/oauth/klaviyo/install${query}`, { redirect: 'manual' });

describe('An install that begins at Klaviyo', () => {
  it("continues in the frontend, with Klaviyo's parameters", async () => {
    const answer = await install(withFrontend, '?account=AbC123&from=elsewhere');
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get('location') as string);
    const token = location.searchParams.get('install');
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(location.href).toBe(`https://app.example.com/install?from=klaviyo&account=AbC123&install=${token}`);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it('shows what to do when there is no frontend', async () => {
    const answer = await install(bare);
    expect(answer.status).toBe(200);
    const markup = await answer.text();
    expect(markup).toContain('Sign in to that app');
    expect(markup).toContain('SANDBOX');
    expect(markup).toMatch(/<code>[\w-]{43}<\/code>/);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it("stores Klaviyo's parameters within limits, and only the hash of the token", async () => {
    const long = 'x'.repeat(600);
    const many = Array.from({ length: 40 }, (_, index) => `p${index}=${index}`).join('&');
    const answer = await install(withFrontend, `?account=AbC123&long=${long}&nul=%00&install=mine&${many}`);
    const location = new URL(answer.headers.get('location') as string);
    const token = location.searchParams.getAll('install');
    expect(token).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
    const rows = await withFrontend.sql(
      "select *, expires_at - created_at = interval '1 hour' as hour from installs where parameters ->> 'p0' = '0'",
    );
    expect(rows).toMatchObject([{ provider: 'klaviyo', hour: true, claimed_at: null, organization_id: null }]);
    const { parameters } = rows[0];
    expect(parameters).toMatchObject({ account: 'AbC123', p0: '0' });
    expect(Object.keys(parameters).length).toBeLessThanOrEqual(20);
    for (const name of ['long', 'nul', 'install']) expect(parameters).not.toHaveProperty(name);
    expect(JSON.stringify(rows)).not.toContain(token[0]);
  });

  it('stores nothing for a HEAD request', async () => {
    const count = async () => (await bare.sql('select count(*) from installs'))[0].count;
    const before = await count();
    expect((await fetch(`${bare.publicUrl}/oauth/klaviyo/install`, { method: 'HEAD' })).status).toBe(405);
    expect(await count()).toBe(before);
  });

  it('continues without a code when too many installs wait', async () => {
    await bare.sql(
      "insert into installs (id, token_hash, provider, parameters, expires_at) select gen_random_uuid(), 'hash ' || n, 'klaviyo', '{}', now() + interval '1 hour' from generate_series(1, 10000) n",
    );
    const answer = await install(bare);
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toContain('<code>');
    expect((await bare.sql('select count(*) from installs where claimed_at is null'))[0].count).toMatch(/^1000\d$/);
    await bare.sql('delete from installs');
    expect(await (await install(bare)).text()).toContain('<code>');
  });

  it('is limited by address', async () => {
    await withFrontend.sql("update rate_limits set hits = 30 where key like 'install:%'");
    const answer = await install(withFrontend);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.text()).toContain('Too many installs');
    await withFrontend.sql("delete from rate_limits where key like 'install:%'");
    expect((await install(withFrontend)).status).toBe(303);
  });

  it('is deleted an hour after it expired', async () => {
    await withFrontend.sql('delete from installs');
    for (let index = 0; index < 3; index += 1) await install(withFrontend);
    await withFrontend.sql(
      "update installs i set expires_at = now() - n * interval '59 minutes' from (select id, row_number() over () - 1 as n from installs) o where o.id = i.id",
    );
    expect(await sweepInstalls(withFrontend)).toBe(1);
    expect(await withFrontend.sql('select 1 from installs')).toHaveLength(2);
  });
});
