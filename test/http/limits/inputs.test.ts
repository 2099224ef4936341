import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema, type GraphQLInputType, getNamedType, getNullableType, isInputObjectType, isListType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { parcelEvent } from '../../support/webhookFlow.js';
import { RestClient } from '../rest/support/RestClient.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const CONNECT =
  'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } userErrors { code path message } } }';
const MAKE_KEY =
  'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } userErrors { code path message } } }';
const PUBLISH =
  'mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { events { event { id } } userErrors { code path message } } }';
const connect = (input: object) => switchboard.client.send(CONNECT, { input });

async function post(body: string, headers: Record<string, string> = { authorization: switchboard.client.authorization }) {
  const response = await fetch(switchboard.client.url, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body },
  });
  return { status: response.status, text: await response.text() };
}

describe('The length of a list is checked before its items', () => {
  it.each([3_000, 200_000, 2_700_000])('for %i empty scopes', async (count) => {
    const body = `{"query":${JSON.stringify(CONNECT)},"variables":{"input":{"type":"KLAVIYO","klaviyo":{"scopes":[${'"",'.repeat(count - 1)}""]}}}}`;
    const { status, text } = await post(body);
    expect(status).toBe(400);
    expect(text).toMatch(/more than (2000|20000) items/);
    expect(text.length).toBeLessThan(500);
  });

  it('for every list of every input in the schema', async () => {
    const sdl = await (await fetch(`${switchboard.publicUrl}/schema.graphql`)).text();
    const schema = buildSchema(sdl);
    const places: [string, (items: unknown[]) => object, string][] = [];
    const visit = (type: GraphQLInputType, wrap: (value: unknown) => unknown, path: string, field: string, argument: string) => {
      const named = getNamedType(type);
      if (isListType(getNullableType(type))) {
        const query = `mutation ($${argument}: ${typeOf(field)}) { ${field}(input: $${argument}) { userErrors { code } } }`;
        places.push([query, (items) => ({ [argument]: wrap(items) }), path]);
      }
      if (!isInputObjectType(named)) return;
      for (const inner of Object.values(named.getFields())) {
        visit(inner.type, (value) => wrap({ [inner.name]: value }), `${path}.${inner.name}`, field, argument);
      }
    };
    const fields = schema.getMutationType()?.getFields() ?? {};
    const typeOf = (field: string) => String(fields[field]?.args[0]?.type);
    for (const { name, args } of Object.values(fields)) {
      for (const argument of args) visit(argument.type, (value) => value, argument.name, name, argument.name);
    }
    expect(places.map(([, , path]) => path)).toEqual(
      expect.arrayContaining(['input.klaviyo.scopes', 'input.webhook.extraHeaders', 'input.events', 'input.scopes']),
    );
    for (const [query, variables, path] of places) {
      const { status, errors } = await switchboard.client.send(query, variables(Array(2_001).fill(null)));
      expect([path, status, errors?.length, errors?.[0].message]).toEqual([
        ...[path, 400, 1],
        `The list at "${path}" has more than 2000 items.`,
      ]);
    }
  });

  it('and a list that is too long for its use case is reported as one problem', async () => {
    const scopes = Array(101).fill('');
    const extraHeaders = Array(21).fill({ name: '', value: '' });
    const one = (code: string, ...path: string[]) => [{ code, path, message: expect.any(String) }];
    expect((await connect({ type: 'KLAVIYO', klaviyo: { scopes } })).data.createConnection.userErrors).toEqual(
      one('MAX_VALUE', 'klaviyo', 'scopes'),
    );
    const webhook = { url: 'https://example.com', extraHeaders };
    expect((await connect({ type: 'WEBHOOK', webhook })).data.createConnection.userErrors).toEqual(
      one('INVALID', 'webhook', 'extraHeaders'),
    );
    const key = await switchboard.client.send(MAKE_KEY, { input: { scopes: Array(2_000).fill('READ') } });
    expect(key.data.createApiKey.userErrors).toEqual(one('MAX_VALUE', 'scopes'));
    const { id } = (await connect({ type: 'WEBHOOK', webhook: { url: 'https://example.com' } })).data.createConnection.connection;
    const replay = await switchboard.client.send(
      'mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) { userErrors { code path message } } }',
      { input: { connectionId: id, since: '2026-01-01T00:00:00Z', statuses: Array(2_000).fill('FAILED') } },
    );
    expect(replay.data.replayDeliveries.userErrors).toEqual(one('MAX_VALUE', 'statuses'));
  });
});

describe('A large body', () => {
  const send = (path: string, pieces: number) => {
    const { authorization } = switchboard.client;
    const headers = { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const call = request(`${switchboard.publicUrl}${path}`, { method: 'POST', headers });
    call.on('error', () => {});
    call.write('{"a":"');
    for (let piece = 0; piece < pieces; piece += 1) call.write('x'.repeat(64 * 1024));
    return call;
  };

  it.each(['/graphql', '/api/v3/event-subscriptions/connections'])(
    'that ends early, or is too large and then ends early, does not disturb other requests: %s',
    async (path) => {
      for (const pieces of [2, 200]) {
        const call = send(path, pieces);
        await Promise.race([once(call, 'response').catch(() => null), sleep(100)]);
        call.destroy();
      }
      await sleep(100);
      expect(await switchboard.client.send('{ organization { id } }')).toMatchObject({ status: 200 });
    },
  );
});

describe('At most twenty problems are reported', () => {
  it('for a connection', async () => {
    const { data } = await connect({ type: 'KLAVIYO', klaviyo: { scopes: Array(100).fill('not a scope') } });
    expect(data.createConnection.userErrors).toHaveLength(20);
  });

  it('for events', async () => {
    const events = Array(1_000).fill({ eventType: 'parcels.event.created', data: {} });
    const { data } = await switchboard.client.send(PUBLISH, { input: { events } });
    expect(data.publishEvents.userErrors).toHaveLength(20);
  });

  it('for a REST body with 10,000 unknown fields, each shortened', async () => {
    const rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
    const unknown = Object.fromEntries(Array.from({ length: 9_000 }, (_, index) => [`${index}${'x'.repeat(10)}`, 1]));
    const configuration = { url: 'https://example.com' };
    const { status, body } = await rest.post('/connections', { type: 'webhook', configuration, ...unknown });
    expect([status, body.errors.length]).toEqual([400, 20]);
    const long = await rest.post('/connections', { type: 'webhook', configuration, ['y'.repeat(200_000)]: 1 });
    expect(long.status).toBe(400);
    expect(JSON.stringify(long.body).length).toBeLessThan(1_000);
  });

  it('for variables', async () => {
    const { status, errors } = await switchboard.client.send(PUBLISH, { input: { events: Array(1_000).fill({}) } });
    expect(status).toBe(400);
    expect(errors?.length).toBeLessThanOrEqual(20);
    expect(JSON.stringify(errors).match(/got an invalid value/g)?.length).toBeLessThanOrEqual(20);
  });
});

describe('JSON that nests too deep', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const asData = (depth: number) =>
    `{"query":${JSON.stringify(PUBLISH)},"variables":{"input":{"events":[{"eventType":"parcels.event.created","data":{"a":${nested(depth)}}}]}}}`;

  it.each([4_400, 100_000])('is refused with 400 as a body of %i levels', async (depth) => {
    for (const body of [asData(depth), nested(depth), `{"query":"{ __typename }","extensions":${nested(depth)}}`]) {
      const { status, text } = await post(body);
      expect(status).toBe(400);
      expect(text).toContain('nests deeper');
    }
  });

  it('is refused by GET, by REST and over a websocket', async () => {
    const { authorization } = switchboard.client;
    const headers = { authorization, 'apollo-require-preflight': '1' };
    const query = new URLSearchParams({ query: 'query ($v: ID!) { event(id: $v) { id } }', variables: `{"v":${nested(2_000)}}` });
    expect((await fetch(`${switchboard.client.url}?${query}`, { headers })).status).toBe(400);
    const rest = new RestClient(switchboard.publicUrl, authorization);
    expect(await rest.post('/connections', `{"type":${nested(4_400)}}`)).toMatchObject({ status: 400 });
    const live = LiveClient.of(switchboard.client);
    let data: unknown = 1;
    for (let depth = 0; depth < 2_000; depth += 1) data = [data];
    const event = { eventType: 'parcels.event.created', data: { data } };
    expect(await live.watch(PUBLISH, { input: { events: [event] } }).ended).toMatchObject({ code: 4400 });
    await live.close();
    expect(await switchboard.client.send('{ organization { id } }')).toMatchObject({ status: 200 });
  });

  it('is told apart from brackets in strings', async () => {
    const note = `${'[{"\\'.repeat(3_000)}`;
    const data = { ...parcelEvent(), note };
    const { errors } = await switchboard.client.send(PUBLISH, {
      input: { events: [{ eventType: 'parcels.event.created', data }] },
    });
    expect(errors).toBeUndefined();
  });
});

describe('No message repeats a value', () => {
  const SECRET = 'hunter2; at "input.x"; Expected "this"';
  const big = SECRET.repeat(60_000);

  it.each<[string, string, object]>([
    ['an enum', CONNECT, { input: { type: big } }],
    ['a URL', CONNECT, { input: { type: 'WEBHOOK', webhook: { url: big } } }],
    ['an object', CONNECT, { input: { type: 'WEBHOOK', webhook: big } }],
    ['a text', CONNECT, { input: { type: 'WEBHOOK', name: [big] } }],
    ['a Boolean', MAKE_KEY, { input: { oauthOnly: big } }],
    ['an Int', 'query ($first: Int) { events(first: $first) { totalCount } }', { first: big }],
    ['a DateTime', 'query ($f: EventFilter) { events(filter: $f) { totalCount } }', { f: { createdAfter: big } }],
    ['an ID', 'query ($id: ID!) { event(id: $id) { id } }', { id: { big } }],
    ['an unknown field', CONNECT, { input: { type: 'KLAVIYO', [big]: 1 } }],
    ['JSON', PUBLISH, { input: { events: [{ eventType: 'parcels.event.created', data: big }] } }],
    ['an e-mail address', PUBLISH, { input: { events: [{ eventType: 'x', data: {}, recipient: { email: big } }] } }],
  ])('of %s in a variable of the wrong type', async (_what, query, variables) => {
    const { status, errors } = await switchboard.client.send(query, variables);
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0].message).toMatch(/^Variable "\$\w+" got an invalid value/);
    expect(JSON.stringify(errors)).not.toContain('hunter2; at');
    expect(JSON.stringify(errors).length).toBeLessThan(1_000);
  });

  it.each<[string, string]>([
    ['an enum', `mutation { createConnection(input: { type: "hunter2" }) { connection { id } } }`],
    ['an Int', `{ events(first: "hunter2") { totalCount } }`],
    ['a Boolean', `mutation { createApiKey(input: { oauthOnly: "hunter2" }) { secretKey } }`],
    ['a URL', `mutation { createConnection(input: { type: WEBHOOK, webhook: { url: "hunter2" } }) { connection { id } } }`],
    ['a DateTime', `{ events(filter: { createdAfter: "hunter2" }) { totalCount } }`],
    ['a text where a name should be', `{ connection(id: 1) { "hunter2" } }`],
    ['an object', `mutation { createConnection(input: "hunter2") { connection { id } } }`],
  ])('of %s in a document', async (_what, query) => {
    const { status, errors } = await switchboard.client.send(query);
    expect(status).toBe(400);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  it('or a long name in a document', async () => {
    const { status, errors } = await switchboard.client.send(`{ ${'x'.repeat(1_000_000)} }`);
    expect(status).toBe(400);
    expect(JSON.stringify(errors).length).toBeLessThan(1_000);
  });

  it.each<[string, string]>([
    ['an event type to subscribe to', `createSubscription(input: { connectionId: 1, eventType: "hunter2" })`],
    ['an event type to publish', `publishEvent(input: { eventType: "hunter2", data: {} })`],
    ['an event', `publishEvent(input: { eventType: "parcels.event.created", data: { event: { phase: "hunter2" } } })`],
    ['a URL to return to', `startAuthorization(input: { connectionId: 1, returnTo: "https://hunter2.example/" })`],
    [
      "a header's name",
      `createConnection(input: { type: WEBHOOK, webhook: { url: "https://example.com", extraHeaders: [{ name: "webhook-hunter2", value: "1" }] } })`,
    ],
    [
      "a header's value",
      `createConnection(input: { type: WEBHOOK, webhook: { url: "https://example.com", extraHeaders: [{ name: "hunter2", value: "hunter2\\n" }] } })`,
    ],
  ])('of %s in a userError', async (_what, mutation) => {
    const { data, errors } = await switchboard.client.send(`mutation { result: ${mutation} { userErrors { message } } }`);
    expect(errors).toBeUndefined();
    expect(data.result.userErrors.length).toBeGreaterThan(0);
    expect(JSON.stringify(data)).not.toContain('hunter2');
  });

  it.each<[string, string, unknown?]>([
    ['a choice', '/connections', { type: 'hunter2', configuration: {} }],
    ['another choice', '/connections', { type: 'webhook', configuration: { url: 'https://a.example', auth_type: 'hunter2' } }],
    ['a number', '/subscriptions', { connection_id: 271828.5, event_type: 'parcels.event.created' }],
    ['a text in place of a body', '/connections', 'hunter2'],
    ['a filter', '/connections?connection_type=hunter2'],
    ['an address that can not be decoded', '/connections/%zzhunter2'],
    ['an id that is too long', `/connections/${'hunter2'.repeat(40)}`],
  ])('of %s over REST', async (_what, path, body) => {
    const { authorization } = switchboard.client;
    const response = await fetch(`${switchboard.publicUrl}/api/v3/event-subscriptions${path}`, {
      ...{ method: body === undefined ? 'GET' : 'POST', headers: { authorization, 'content-type': 'application/json' } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect([400, 404, 414]).toContain(response.status);
    expect(await response.text()).not.toMatch(/hunter2|271828/);
  });

  it('or over a websocket', async () => {
    const live = LiveClient.of(switchboard.client);
    const ended = await live.watch(CONNECT, { input: { type: SECRET.repeat(1_000) } }).ended;
    expect(ended).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(JSON.stringify(ended)).not.toContain('hunter2');
    await live.close();
  });
});
