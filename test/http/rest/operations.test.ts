import { createServer } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAtKlaviyo } from '../../support/klaviyoFlow.js';
import { openCallback } from '../../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { trySubscribe } from '../../support/webhookFlow.js';
import { RestClient } from './support/RestClient.js';

let switchboard: TestSwitchboard;
let rest: RestClient;
let validators: (name: string) => ValidateFunction;
const receiver = createServer((request, response) => {
  response.statusCode = request.url === '/broken' ? 500 : 200;
  response.end('seen');
});
let receiverUrl: string;

beforeAll(async () => {
  switchboard = await startSwitchboard();
  rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  receiverUrl = `http://127.0.0.1:${(receiver.address() as { port: number }).port}`;
  const document = await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json();
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  ajv.addSchema({ $id: 'openapi', ...(document as object) });
  validators = (name) => ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
});
afterAll(async () => {
  receiver.close();
  await switchboard.close();
});

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const webhook = (configuration: object = {}) => ({
  type: 'webhook',
  configuration: { url: 'https://example.com/hooks', ...configuration },
});

/** Fails unless the data matches its schema in the document. */
function expectToBe(name: string, data: unknown): void {
  const validate = validators(name);
  validate(data);
  expect(validate.errors ?? []).toEqual([]);
}

describe('Connections', () => {
  it('are created, shown, listed, changed and deleted', async () => {
    const created = await rest.post('/connections', {
      type: 'webhook',
      configuration: {
        url: 'https://example.com/webhooks/sendcloud',
        auth_type: 'bearer',
        auth_config: { token: 'my-secret-token' },
        extra_headers: { 'X-Custom-Header': 'my-value' },
      },
    });
    expect(created).toMatchObject({ status: 201 });
    const { id } = created.body.data;
    expect(created.body).toEqual({
      data: {
        id: expect.any(Number),
        type: 'webhook',
        configuration: {
          url: 'https://example.com/webhooks/sendcloud',
          auth_type: 'bearer',
          extra_headers: { 'X-Custom-Header': 'my-value' },
        },
        created_at: TIME,
        updated_at: TIME,
      },
    });
    expectToBe('connection', created.body.data);
    expect(created.headers.get('location')).toBe(`/api/v3/event-subscriptions/connections/${id}`);
    expect(await rest.get(`/connections/${id}`)).toMatchObject({ status: 200, body: created.body });

    const changed = await rest.patch(`/connections/${id}`, {
      type: 'webhook',
      configuration: { auth_type: 'api_key', auth_config: { header_name: 'X-Api-Key', api_key: 'my-new-api-key' } },
    });
    expect(changed.body.data).toMatchObject({
      id,
      configuration: { ...created.body.data.configuration, auth_type: 'api_key' },
    });
    expect(JSON.stringify(changed.body)).not.toContain('my-new-api-key');
    const unchanged = [{}, { type: 'webhook' }, { configuration: { auth_config: { api_key: 'my-new-api-key' } } }];
    for (const body of unchanged) expect((await rest.patch(`/connections/${id}`, body)).body).toEqual(changed.body);
    const { updated_at, created_at } = changed.body.data;
    expect(Date.parse(updated_at)).toBeGreaterThan(Date.parse(created_at));

    const deleted = await rest.delete(`/connections/${id}`);
    expect(deleted).toMatchObject({ status: 204, body: null });
    expect(await rest.get(`/connections/${id}`)).toMatchObject({ status: 404 });
  });

  it('of Klaviyo have an empty configuration and an authorization URL', async () => {
    const { status, body } = await rest.post('/connections', { type: 'klaviyo', configuration: {} });
    expect(status).toBe(201);
    expect(body.data).toMatchObject({ type: 'klaviyo', configuration: {}, authorization: null });
    expectToBe('connection', body.data);
    const started = await rest.post(`/connections/${body.data.id}/authorization`);
    expect(started.status).toBe(200);
    expect(started.body).toEqual({ data: { authorization_url: expect.stringContaining('code_challenge=') } });
    expectToBe('connection-authorization-response', started.body.data);
    expect(await rest.post(`/connections/${body.data.id}/authorization`, '')).toMatchObject({ status: 200 });
  });

  it('are listed without pages, filtered by type', async () => {
    for (let index = 0; index < 103; index += 1) await rest.post('/connections', webhook());
    const { body } = await rest.get('/connections?connection_type=webhook');
    expect(body.data).toHaveLength(103);
    expect(new Set(body.data.map(({ id }: { id: number }) => id)).size).toBe(103);
    const klaviyo = await rest.get('/connections?connection_type=klaviyo');
    expect(klaviyo.body.data.length).toBeGreaterThan(0);
    expect((await rest.get('/connections')).body.data).toHaveLength(103 + klaviyo.body.data.length);
  });
});

describe('Subscriptions', () => {
  const idOf = async (configuration: object = {}) =>
    (await rest.post('/connections', webhook(configuration))).body.data.id as number;
  const create = async (fields: object) => rest.post('/subscriptions', { event_type: 'parcels.event.created', ...fields });

  it('are created, shown, listed, changed and deleted', async () => {
    const [connection_id, other] = [await idOf(), await idOf()];
    const created = await create({ connection_id });
    expect(created).toMatchObject({
      status: 201,
      body: { data: { connection_id, event_type: 'parcels.event.created', is_active: true, created_at: TIME, updated_at: TIME } },
    });
    expectToBe('subscription', created.body.data);
    const { id } = created.body.data;
    expect(await rest.get(`/subscriptions/${id}`)).toMatchObject({ status: 200, body: created.body });
    const changed = await rest.patch(`/subscriptions/${id}`, { connection_id: other, is_active: false });
    expect(changed.body.data).toMatchObject({ id, connection_id: other, is_active: false });
    for (const body of [{}, { is_active: false }, { connection_id: other, event_type: 'parcels.event.created' }]) {
      expect((await rest.patch(`/subscriptions/${id}`, body)).body).toEqual(changed.body);
    }
    const list = async (query: string) =>
      (await rest.get(`/subscriptions${query}`)).body.data.map((row: { id: number }) => row.id);
    expect(await list('?is_active=false')).toEqual([id]);
    expect(await list('?is_active=true')).toEqual([]);
    expect(await list('?event_type=parcels.event.created&is_active=false')).toEqual([id]);
    expect(await list('?is_active=False')).toEqual([id]);
    expect(await list('?is_active=True')).toEqual([]);
    expect(await list('?is_active=0')).toEqual([id]);
    expect(await list('/?is_active=FALSE')).toEqual([id]);
    for (const type of ['another', '', '%00', 'x'.repeat(500), 'connections.disabled', '%F0%9F%93%A6']) {
      expect(await list(`?event_type=${type}`)).toEqual([]);
    }
    expect(await rest.delete(`/subscriptions/${id}`)).toMatchObject({ status: 204, body: null });
    expect(await rest.delete(`/subscriptions/${id}`)).toMatchObject({ status: 404 });
  });

  it('are tested with a broadcast', async () => {
    const broadcast = async (url: string) => {
      const { body } = await create({ connection_id: await idOf({ url }) });
      return rest.post(`/broadcast/test/${body.data.id}`);
    };
    const good = await broadcast(`${receiverUrl}/good`);
    expect(good).toMatchObject({ status: 200, body: { data: { success: true, status_code: 200, response_body: 'seen' } } });
    const bad = await broadcast(`${receiverUrl}/broken`);
    expect(bad).toMatchObject({ status: 200, body: { data: { success: false, status_code: 500, response_body: 'seen' } } });
    const none = await broadcast('http://127.0.0.1:9/nobody');
    expect(none).toMatchObject({ status: 200, body: { data: { success: false, error: expect.any(String) } } });
    for (const { body } of [good, bad, none]) expectToBe('broadcast-result', body.data);
  });
});

describe('A subscription to an event type about connections', () => {
  it('is created and visible over GraphQL only', async () => {
    const { id: connection_id } = (await rest.post('/connections', webhook())).body.data;
    const own = { connection_id, event_type: 'connections.disabled' };
    expect(await rest.post('/subscriptions', own)).toMatchObject({ status: 400, body: { errors: [{ code: 'invalid_choice' }] } });
    const { subscription } = await trySubscribe(switchboard.client, {
      connectionId: String(connection_id),
      eventType: 'connections.disabled',
    });
    const { id } = subscription;
    expect((await rest.get('/subscriptions')).body.data.map((row: { id: number }) => String(row.id))).not.toContain(id);
    const answers = [
      await rest.get(`/subscriptions/${id}`),
      await rest.patch(`/subscriptions/${id}`, { is_active: false }),
      await rest.delete(`/subscriptions/${id}`),
      await rest.post(`/broadcast/test/${id}`),
    ];
    const never = await rest.get('/subscriptions/987654');
    for (const { status, body } of answers) expect({ status, body }).toEqual({ status: 404, body: never.body });
    const seen = await switchboard.client.query('query ($id: ID!) { subscription(id: $id) { isActive eventType } }', { id });
    expect(seen.subscription).toEqual({ isActive: true, eventType: 'connections.disabled' });
  });
});

describe('The latest authorization', () => {
  it('is shown with its outcome, code and description', async () => {
    const { id } = (await rest.post('/connections', { type: 'klaviyo', configuration: {} })).body.data;
    const authorize = async (decision: 'allow' | 'deny') => {
      const { body } = await rest.post(`/connections/${id}/authorization/`);
      const pending = (await rest.get(`/connections/${id}/`)).body.data.authorization;
      expect(pending).toMatchObject({ status: 'pending', error_code: null, error_description: null, completed_at: null });
      await openCallback(await decideAtKlaviyo(new URL(body.data.authorization_url), decision));
      const { data } = (await rest.get(`/connections/${id}`)).body;
      expectToBe('connection', data);
      const listed = (await rest.get('/connections?connection_type=klaviyo')).body.data;
      expect(listed.find((row: { id: number }) => row.id === id)).toEqual(data);
      return data.authorization;
    };
    expect(await authorize('deny')).toEqual({
      ...{ status: 'denied', error_code: 'access_denied', error_description: 'Access to the Klaviyo account was denied.' },
      ...{ created_at: TIME, completed_at: TIME },
    });
    expect(await authorize('allow')).toMatchObject({ status: 'completed', error_code: null, error_description: null });
  });
});

describe('/openapi.json', () => {
  it('describes the twelve operations, with our own addresses', async () => {
    const document = (await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as {
      openapi: string;
      servers: { url: string }[];
      paths: Record<string, Record<string, object>>;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.servers).toEqual([{ url: `${switchboard.publicUrl}/api/v3` }]);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'delete /event-subscriptions/connections/{id}',
      'delete /event-subscriptions/subscriptions/{id}',
      'get /event-subscriptions/connections',
      'get /event-subscriptions/connections/{id}',
      'get /event-subscriptions/subscriptions',
      'get /event-subscriptions/subscriptions/{id}',
      'patch /event-subscriptions/connections/{id}',
      'patch /event-subscriptions/subscriptions/{id}',
      'post /event-subscriptions/broadcast/test/{subscription_id}',
      'post /event-subscriptions/connections',
      'post /event-subscriptions/connections/{id}/authorization',
      'post /event-subscriptions/subscriptions',
    ]);
  });
});
