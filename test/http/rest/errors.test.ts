import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../../src/access/apiKeys.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from './support/RestClient.js';

let switchboard: TestSwitchboard;
let rest: RestClient;
let webhook: number;
let klaviyo: number;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
  webhook = (await rest.post('/connections', { type: 'webhook', configuration: { url: 'https://example.com/' } })).body.data.id;
  klaviyo = (await rest.post('/connections', { type: 'klaviyo', configuration: {} })).body.data.id;
});
afterAll(() => switchboard.close());

const URL = 'https://example.com/';
const create = (configuration: unknown, more: object = {}) => ({ type: 'webhook', configuration, ...more });

describe('Problems of a body are 400, with a code and a pointer:', () => {
  it.each<[string, unknown, string, string]>([
    ['nothing', undefined, 'required', '/data/type'],
    ['no type', { configuration: {} }, 'required', '/data/type'],
    ['type null', { type: null, configuration: {} }, 'null', '/data/type'],
    ['an unknown type', { type: 'fax', configuration: {} }, 'invalid_choice', '/data/type'],
    ['no configuration', { type: 'webhook' }, 'required', '/data/configuration'],
    ['a list', [], 'invalid', '/data'],
    ['an unknown field', create({ url: URL }, { nope: 1 }), 'unknown_field', '/data/nope'],
    ['an unknown field inside', create({ url: URL, 'a/b~c': 1 }), 'unknown_field', '/data/configuration/a~1b~0c'],
    ['no URL', create({}), 'required', '/data/configuration/url'],
    ['a number as URL', create({ url: 1 }), 'invalid', '/data/configuration/url'],
    ['a bad URL', create({ url: 'nowhere' }), 'invalid', '/data/configuration/url'],
    ['a private address', create({ url: 'http://10.0.0.1/' }), 'invalid', '/data/configuration/url'],
    ['an unknown auth type', create({ url: URL, auth_type: 'digest' }), 'invalid_choice', '/data/configuration/auth_type'],
    [
      'a missing secret',
      create({ url: URL, auth_type: 'api_key', auth_config: { api_key: 'x' } }),
      'required',
      '/data/configuration/auth_config/header_name',
    ],
    [
      'an unexpected secret',
      create({ url: URL, auth_config: { token: 'x' } }),
      'invalid',
      '/data/configuration/auth_config/token',
    ],
    [
      'a reserved header',
      create({ url: URL, extra_headers: { Host: 'x' } }),
      'invalid',
      '/data/configuration/extra_headers/Host',
    ],
    [
      'a header that is not a string',
      create({ url: URL, extra_headers: { a: 1 } }),
      'invalid',
      '/data/configuration/extra_headers/a',
    ],
    [
      'a field in a Klaviyo configuration',
      { type: 'klaviyo', configuration: { url: URL } },
      'unknown_field',
      '/data/configuration/url',
    ],
  ])('creating a connection with %s', async (_what, body, code, pointer) => {
    const answer = await rest.post('/connections', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toContainEqual({ status: '400', code, detail: expect.stringMatching(/\.$/), source: { pointer } });
    expect(answer.body.errors[0].detail).not.toMatch(/headerName|apiKey|authType/);
  });

  it.each<[string, unknown, string, string]>([
    ['the number in quotes', { connection_id: '1', event_type: 'parcels.event.created' }, 'invalid', '/data/connection_id'],
    ['zero', { connection_id: 0, event_type: 'parcels.event.created' }, 'min_value', '/data/connection_id'],
    ['a fraction', { connection_id: 1.5, event_type: 'parcels.event.created' }, 'invalid', '/data/connection_id'],
    ['an unknown connection', { connection_id: 987654, event_type: 'parcels.event.created' }, 'not_found', '/data/connection_id'],
    ['an unknown event', { connection_id: 1, event_type: 'x' }, 'invalid_choice', '/data/event_type'],
    [
      'a word instead of true',
      { connection_id: 1, event_type: 'parcels.event.created', is_active: 'true' },
      'invalid',
      '/data/is_active',
    ],
    ['null', { connection_id: null, event_type: 'parcels.event.created' }, 'null', '/data/connection_id'],
  ])('creating a subscription with %s', async (_what, body, code, pointer) => {
    const answer = await rest.post('/subscriptions', body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ code, source: { pointer } }] } });
  });

  it('all problems at once', async () => {
    const { body } = await rest.post('/subscriptions', {});
    expect(body.errors.map(({ source }: { source: object }) => source)).toEqual([
      { pointer: '/data/connection_id' },
      { pointer: '/data/event_type' },
    ]);
  });

  it('a changed type, and fields of another type', async () => {
    const first = await rest.patch(`/connections/${webhook}`, { type: 'klaviyo' });
    expect(first).toMatchObject({ status: 400, body: { errors: [{ code: 'invalid', source: { pointer: '/data/type' } }] } });
    const second = await rest.patch(`/connections/${klaviyo}`, { configuration: { url: URL } });
    expect(second).toMatchObject({ status: 400, body: { errors: [{ source: { pointer: '/data/configuration/url' } }] } });
  });

  it('a change that the object does not allow', async () => {
    const started = await rest.post(`/connections/${webhook}/authorization`);
    expect(started).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'invalid', detail: expect.stringContaining('no authorization') }] },
    });
    const { body } = await rest.post('/subscriptions', { connection_id: klaviyo, event_type: 'parcels.event.created' });
    const broadcast = await rest.post(`/broadcast/test/${body.data.id}`);
    expect(broadcast).toMatchObject({ status: 400, body: { errors: [{ code: 'non_field_errors' }] } });
  });

  it.each(['/connections', '/subscriptions'])('no body, and null, when updating an object of %s', async (list) => {
    const { body } = await rest.get(list);
    const path = `${list}/${body.data[0].id}`;
    expect(await rest.patch(path)).toMatchObject({ status: 400, body: { errors: [{ code: 'required' }] } });
    expect(await rest.patch(path, 'null')).toMatchObject({ status: 400, body: { errors: [{ code: 'required' }] } });
    expect(await rest.patch(path, {})).toMatchObject({ status: 200 });
  });

  it('a body that is not JSON', async () => {
    expect(await rest.post('/connections', '{')).toMatchObject({
      status: 400,
      body: { errors: [{ status: '400', code: 'invalid' }] },
    });
  });

  it.each([
    ['/connections?connection_type=fax', 'invalid_choice', 'connection_type'],
    ['/connections?connection_type=webhook&connection_type=klaviyo', 'invalid', 'connection_type'],
    ['/connections?type=webhook', 'unknown_field', 'type'],
    ['/subscriptions?is_active=yes', 'invalid', 'is_active'],
    ['/subscriptions?is_active=', 'invalid', 'is_active'],
  ])('GET %s', async (path, code, parameter) => {
    const { status, body } = await rest.get(path);
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ status: '400', code, source: { parameter } }]);
  });
});

describe('The status of an error is', () => {
  it('401 with a challenge', async () => {
    const { status, headers, body } = await new RestClient(rest.origin, '').get('/connections');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(body.errors).toMatchObject([{ status: '401', code: 'authentication_failed' }]);
  });

  it('403 without the scope', async () => {
    const organizationId = switchboard.client.keys.organizationId as number;
    const keys = await addApiKey({ em: switchboard.database.em() }, { organizationId, scopes: ['read'] });
    const reader = new RestClient(rest.origin, `Basic ${Buffer.from(`${keys.publicKey}:${keys.secretKey}`).toString('base64')}`);
    expect(await reader.get('/connections')).toMatchObject({ status: 200 });
    for (const [method, path] of [
      ['POST', '/connections'],
      ['PATCH', `/connections/${webhook}`],
      ['DELETE', `/connections/${webhook}`],
    ]) {
      expect(await reader.send(method as string, path as string)).toMatchObject({
        status: 403,
        body: { errors: [{ code: 'forbidden' }] },
      });
    }
  });

  it('404 for an unknown object, also with a malformed id', async () => {
    const answers = await Promise.all(
      ['987654', '0', '-1', 'x', '1.0', '99999999999999999999', '%00'].map((id) => rest.get(`/connections/${id}`)),
    );
    for (const { status, body } of answers) {
      expect(status).toBe(404);
      expect(body).toEqual({ errors: [{ status: '404', code: 'not_found', detail: 'There is no such connection.' }] });
    }
    expect(await rest.get('/connections/%')).toMatchObject({
      status: 400,
      body: { errors: [{ status: '400', code: 'invalid' }] },
    });
    expect(await rest.get('/nothing')).toMatchObject({ status: 404, body: { errors: [{ code: 'not_found' }] } });
  });

  it.each([
    ['PUT', '/connections', 'GET, HEAD, POST'],
    ['POST', '/connections/1', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/connections/1/authorization', 'POST'],
    ['DELETE', '/broadcast/test/1', 'POST'],
    ['PUT', '/subscriptions', 'GET, HEAD, POST'],
  ])('405 with Allow: %s %s', async (method, path, allow) => {
    const { status, headers, body } = await rest.send(method, path);
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    expect(body.errors).toMatchObject([{ status: '405', code: 'invalid' }]);
  });

  it.each([
    ['no body, of type JSON', 'application/json', undefined],
    ['a body that is no JSON', 'application/json', '{'],
    ['a type that is not taken', 'text/csv', 'a,b'],
    ['more than is taken', 'application/json', JSON.stringify('x'.repeat(9_000_000))],
  ])('405 before all others, also with %s', async (_what, type, body) => {
    const url = `${switchboard.publicUrl}/api/v3/event-subscriptions/connections`;
    const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('406 when JSON is not acceptable', async () => {
    expect(await rest.get('/connections', { accept: 'text/html' })).toMatchObject({
      status: 406,
      body: { errors: [{ status: '406' }] },
    });
    for (const anything of ['*', '*, text/html', ' , ,', '']) {
      expect(await rest.get('/connections', { accept: anything })).toMatchObject({ status: 200 });
    }
    expect(await rest.get('/connections', { accept: 'application/json;q=0' })).toMatchObject({ status: 406 });
    for (const accept of ['*/*', 'application/json', 'text/html, application/*;q=0.5', 'application/vnd.api+json, */*']) {
      const { status, headers } = await rest.get('/connections', { accept });
      expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'application/json; charset=utf-8' });
    }
    for (const path of ['/connections', '/connections/987654']) {
      const { headers } = await rest.get(path, { accept: 'application/vnd.api+json' });
      expect(headers.get('content-type')).toBe('application/vnd.api+json');
    }
  });

  it('413 and 415 for bodies', async () => {
    expect(await rest.post('/connections', { filler: 'x'.repeat(300_000) })).toMatchObject({ status: 413 });
    const xml = await rest.send('POST', '/connections', '<a/>', { 'content-type': 'application/xml' });
    expect(xml).toMatchObject({ status: 415, body: { errors: [{ status: '415', code: 'invalid' }] } });
  });

  it('500 with an id and no details', async () => {
    await switchboard.sql('alter table connections rename to elsewhere');
    try {
      const { status, body } = await rest.get('/connections');
      expect(status).toBe(500);
      expect(body.errors).toEqual([
        { id: expect.any(String), status: '500', code: 'non_field_errors', detail: expect.stringContaining(body.errors[0].id) },
      ]);
      expect(JSON.stringify(body)).not.toMatch(/relation|select|stack/);
    } finally {
      await switchboard.sql('alter table elsewhere rename to connections');
    }
  });
});
