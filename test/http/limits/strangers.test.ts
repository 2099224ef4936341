import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countHit, sweepAccess } from '../../../src/access/limits.js';
import { callerAddress } from '../../../src/http/callerAddress.js';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
let proxied: TestSwitchboard;
beforeAll(async () => {
  const limits = { INTROSPECTIONS_PER_MINUTE: '6', FAILED_LOGINS_PER_MINUTE: '5' };
  switchboard = await startSwitchboard(limits);
  proxied = await startSwitchboard({ ...limits, TRUSTED_PROXIES: '127.0.0.0/8 10.0.0.0/8' }, switchboard.testDatabase);
});
afterAll(async () => {
  await proxied.close();
  await switchboard.close();
});

const forget = () => switchboard.sql('delete from rate_limits');

describe('Without credentials, the schema', () => {
  const ask = async (query: string, { publicUrl } = switchboard) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${publicUrl}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const body = await response.text();
    return { status: response.status, data: undefined, errors: undefined, ...JSON.parse(body) };
  };

  it.each([
    ['as GraphiQL reads it', getIntrospectionQuery({ inputValueDeprecation: true })],
    [
      'with every option',
      getIntrospectionQuery({ schemaDescription: true, specifiedByUrl: true, directiveIsRepeatable: true, oneOf: true }),
    ],
    ['one type of it', '{ __type(name: "Connection") { name fields { name } } }'],
    ['by a variable', 'query ($name: String = "Event") { __type(name: $name) { name } }'],
    ['next to nothing of it', '{ __typename }'],
  ])('can be read %s, each time with the same result', async (_what, query) => {
    await forget();
    const first = await ask(query);
    expect(first).toMatchObject({ status: 200, errors: undefined });
    expect(await ask(query)).toEqual(first);
    expect((await ask(query, proxied)).data).toEqual(first.data);
  });

  const many = (field: (index: number) => string) => `{ ${Array.from({ length: 28 }, (_, index) => field(index)).join(' ')} }`;
  it.each<[string, string]>([
    ['many times in one', many((index) => `a${index}: __schema { types { name description fields { name description } } }`)],
    ['twice', '{ __schema { types { name } } __type(name: "Event") { name } }'],
    ['with aliases inside', `{ __schema ${many((index) => `a${index}: types { name description }`)} }`],
    [
      'with aliases in a fragment',
      `{ __schema { ...F } } fragment F on __Schema ${many((index) => `a${index}: types { name }`)}`,
    ],
  ])('cannot be read %s', async (_what, query) => {
    await forget();
    expect(await ask(query)).toMatchObject({
      ...{ status: 400, data: undefined },
      errors: [{ message: expect.stringContaining('one plain introspection'), extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('is limited per minute and address, over all processes; with credentials an introspection counts as a read', async () => {
    await forget();
    for (let index = 0; index < 6; index += 1) {
      expect(await ask('{ __schema { queryType { name } } }', index % 2 ? proxied : switchboard)).toMatchObject({ status: 200 });
    }
    expect(await ask('{ __schema { queryType { name } } }')).toMatchObject({ status: 429 });
    expect(await ask('{ __type(name: "Event") { name } }')).toMatchObject({
      status: 429,
      errors: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    expect(await switchboard.client.send(getIntrospectionQuery())).toMatchObject({ status: 200 });
  });

  it('is all that can be read, and bodies must be small', async () => {
    await forget();
    for (const query of [
      '{ organization { id } }',
      '{ __typename organization { id } }',
      '{ ...F } fragment F on Query { __typename }',
    ]) {
      expect(await ask(query)).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
    const { status } = await fetch(`${switchboard.publicUrl}/graphql`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ query: '{ __typename }', extensions: 'x'.repeat(70_000) }),
    });
    expect(status).toBe(413);
  });
});

describe("A client's address", () => {
  const from = (...ips: string[]) => callerAddress({ ip: ips.at(-1) as string, ips });

  it.each([
    ['192.0.2.7', ['192.0.2.7']],
    ['192.0.2.7', ['::ffff:192.0.2.7']],
    ['192.0.2.7', ['10.0.0.1', '192.0.2.7:4711']],
    ['2001:db8:1:2::/64', ['2001:db8:1:2:3:4:5:6']],
    ['2001:db8:1:2::/64', ['2001:0DB8:0001:0002:ffff::1']],
    ['2001:db8:1:2::/64', ['10.0.0.1', '[2001:db8:1:2::9]:443']],
    ['fe80::/64', ['fe80::1%eth0']],
    ['10.0.0.1', ['10.0.0.1', 'anything at all']],
    ['10.0.0.1', ['10.0.0.1', 'x'.repeat(6_000)]],
    ['10.0.0.1', ['10.0.0.1', '127.1']],
    ['10.0.0.1', ['10.0.0.1', '0x7f000001']],
    ['10.0.0.1', ['10.0.0.1', '']],
    ['10.0.0.2', ['10.0.0.1', '10.0.0.2', '_hidden', '192.0.2.7']],
    ['unknown', ['']],
  ])('is %s for %j', (address, ips) => {
    expect(from(...ips)).toBe(address);
  });

  const guess = async ({ publicUrl }: TestSwitchboard, forwarded: string) => {
    const headers = { authorization: 'Bearer nonsense', 'x-forwarded-for': forwarded };
    return (await fetch(`${publicUrl}/api/v3/event-subscriptions/connections`, { headers })).status;
  };
  const guesses = async (server: TestSwitchboard, forwarded: (index: number) => string) => {
    await forget();
    const statuses: number[] = [];
    for (let index = 0; index < 12; index += 1) statuses.push(await guess(server, forwarded(index)));
    return statuses;
  };
  const refusedAfterFive = [...Array(5).fill(401), ...Array(7).fill(429)];

  it("is the socket's, unless the operator trusts the proxy that forwards another", async () => {
    expect(await guesses(switchboard, (index) => `192.0.2.${index}`)).toEqual(refusedAfterFive);
    expect(await guesses(proxied, (index) => `192.0.2.${index}`)).toEqual(Array(12).fill(401));
  });

  it.each<[string, (index: number) => string]>([
    ['some text', (index) => `guess ${index}`],
    ['6 kB of text', (index) => `${index}${'x'.repeat(6_000)}`],
    ['addresses of one IPv6 network', (index) => `2001:db8:1:2:${index + 1}::1`],
    ['addresses that a client has added before its own', (index) => `198.51.100.${index}, 192.0.2.7`],
    ['addresses written in other ways', (index) => ['::ffff:192.0.2.7', `192.0.2.7:${index}`, '192.0.2.7'][index % 3] as string],
  ])('is the same for all of %s behind a trusted proxy', async (_what, forwarded) => {
    expect(await guesses(proxied, forwarded)).toEqual(refusedAfterFive);
  });

  it('is deleted with its counts, and so are old expired tokens', async () => {
    await forget();
    for (let index = 0; index < 30; index += 1) await countHit(switchboard, `login:192.0.2.${index}`);
    await switchboard.sql("update rate_limits set resets_at = now() - interval '1 second' where key like '%.1_'");
    await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: switchboard.client.authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect(await sweepAccess(switchboard)).toBe(10);
    expect(await switchboard.sql('select 1 from rate_limits')).toHaveLength(20);
    await switchboard.sql("update access_tokens set expires_at = now() - interval '25 hours'");
    expect(await sweepAccess(switchboard)).toBe(1);
  });
});

describe('GET /metrics', () => {
  const get = (server: TestSwitchboard, headers: Record<string, string> = {}) =>
    fetch(`${server.publicUrl}/metrics`, { headers });

  it('is computed at most every few seconds, however many ask', async () => {
    const texts = await Promise.all(Array.from({ length: 30 }, async () => (await get(switchboard)).text()));
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('switchboard_deliveries_waiting');
  });

  it('is for private networks without a proxy', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip']) {
      expect((await get(switchboard, { [name]: '10.0.0.1' })).status).toBe(403);
    }
  });

  it('with a token, is for every client that sends it, in every role', async () => {
    for (const ROLE of ['api', 'worker']) {
      const guarded = await startSwitchboard({ ROLE, METRICS_TOKEN: 'a-token-of-its-own' }, switchboard.testDatabase);
      expect((await get(guarded)).status).toBe(401);
      expect((await get(guarded, { authorization: 'Bearer a-token-of-its-owm' })).status).toBe(401);
      expect((await get(guarded, { authorization: guarded.client.authorization })).status).toBe(401);
      const forwarded = { authorization: 'Bearer a-token-of-its-own', 'x-forwarded-for': '192.0.2.7' };
      expect((await get(guarded, forwarded)).status).toBe(200);
      await guarded.close();
    }
  });
});

describe('An offer of HTTP/2 in clear text (h2c), which Java sends with every request, is ignored', () => {
  const OFFER = {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
  };
  const call = async (method: string, path: string, headers: Record<string, string> = {}, body = '') => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>();
    const sent = request(`${switchboard.publicUrl}${path}`, { method, headers: { ...OFFER, ...headers } }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response) });
    });
    sent.on('error', reject).on('upgrade', () => reject(new Error('upgraded')));
    sent.end(body);
    return promise;
  };

  it('on every kind of address, with and without a body', async () => {
    await forget();
    const { authorization } = switchboard.client;
    const json = { authorization, 'content-type': 'application/json' };
    expect(await call('GET', '/health/live')).toMatchObject({ status: 200 });
    expect(await call('GET', '/openapi.json')).toMatchObject({ status: 200 });
    expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
    expect(await call('GET', '/graphql?query={__typename}', { 'apollo-require-preflight': '1' })).toMatchObject({ status: 200 });
    const query = JSON.stringify({ query: '{ organization { name } }' });
    expect(await call('POST', '/graphql', json, query)).toEqual({
      status: 200,
      body: '{"data":{"organization":{"name":"Acme"}}}\n',
    });
    const token = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await call('POST', '/oauth2/token', token, 'grant_type=client_credentials')).toMatchObject({ status: 200 });
    const body = JSON.stringify({ type: 'klaviyo', configuration: {} });
    expect(await call('POST', '/api/v3/event-subscriptions/connections', json, body)).toMatchObject({ status: 201 });
    const large = JSON.stringify({ query: `{ organization { name } } ${'#'.repeat(300_000)}` });
    expect(await call('POST', '/graphql', json, large)).toMatchObject({ status: 200 });
  });

  it('while websockets still work', async () => {
    const live = LiveClient.of(switchboard.client);
    const { ended, seen } = live.watch('{ organization { name } }');
    expect(await ended).toBe('complete');
    expect(seen).toMatchObject([{ data: { organization: { name: 'Acme' } } }]);
    await live.close();
  });
});
