import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebhook } from '../connections/support/connectionCalls.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const send = (query: string, variables?: object) => switchboard.client.send(query, variables);
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;

describe('A call error has a code and the matching HTTP status', () => {
  it.each<[string, string, object, number, string]>([
    ['a syntax error', '{', {}, 400, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{ nope }', {}, 400, 'GRAPHQL_VALIDATION_FAILED'],
    ['a missing variable', 'query ($id: ID!) { connection(id: $id) { id } }', {}, 400, 'BAD_USER_INPUT'],
    ['a variable of the wrong type', 'query ($id: ID!) { connection(id: $id) { id } }', { id: {} }, 400, 'BAD_USER_INPUT'],
    ['nothing asked', '', {}, 400, 'BAD_REQUEST'],
  ])('%s', async (_what, query, variables, status, code) => {
    const answer = await send(query, variables);
    expect(answer.status).toBe(status);
    expect(answer.data).toBeUndefined();
    expect(answer.errors).toMatchObject([{ extensions: { code } }]);
    expect(JSON.stringify(answer.errors)).not.toMatch(/stacktrace|node_modules/);
  });

  it.each<[string, string | undefined, number]>([
    ['the newer media type', 'application/graphql-response+json, application/json;q=0.9', 400],
    ['neither', undefined, 400],
    ['the older one', 'application/json', 200],
    ['the older one, as axios asks', 'application/json, text/plain, */*', 200],
  ])('for who accepts %s', async (_which, accept, status) => {
    const headers = accept === undefined ? undefined : { accept };
    for (const query of ['{', '{ nope }', '{ connections(first: 1000) { totalCount } }']) {
      expect(await switchboard.client.send(query, {}, headers)).toMatchObject({ status, errors: [expect.anything()] });
    }
    expect(await switchboard.client.send('', {}, headers)).toMatchObject({ status: 400 });
    expect(await switchboard.client.send('{ organization { id } }', {}, { ...headers, authorization: '' })).toMatchObject({
      status: 401,
    });
  });
});

describe('GET /graphql', () => {
  const { stringify } = JSON;
  const get = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${switchboard.publicUrl}/graphql?${new URLSearchParams(parameters)}`, {
      headers: { authorization: switchboard.client.authorization, accept: 'application/graphql-response+json', ...headers },
    });
  const query = 'query Names($name: String!) { organization { name } __type(name: $name) { name } }';
  const variables = stringify({ name: 'Live' });

  it('accepts a query with variables and extensions', async () => {
    const answer = await get({ query, variables, operationName: 'Names', extensions: stringify({ tracing: true }) });
    expect(await answer.json()).toEqual({ data: { organization: { name: 'Acme' }, __type: { name: 'Live' } } });
  });

  it('reports that it stores no queries, in the way that makes clients send them whole', async () => {
    const persistedQuery = { version: 1, sha256Hash: 'a'.repeat(64) };
    const answer = await get({ extensions: stringify({ persistedQuery }) });
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }] });
  });

  it.each<[string, Record<string, string>]>([
    ['by a page that CORS does not allow', { origin: 'https://evil.example' }],
    ['by an image', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['by a link', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('refuses credentials that a browser remembered, when sent %s', async (_how, headers) => {
    // fetch() would add headers that mark a script.
    const answer = await request(`${switchboard.publicUrl}/graphql?${new URLSearchParams({ query, variables })}`, {
      headers: { authorization: switchboard.client.authorization, ...headers },
    });
    expect(answer.statusCode).toBe(403);
    expect(await answer.body.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('changes nothing, nor does a POST that another site can make a browser send', async () => {
    const mutation = 'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } } }';
    expect((await get({ query: mutation })).status).toBe(405);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '']) {
      const answer = await fetch(`${switchboard.publicUrl}/graphql`, {
        method: 'POST',
        headers: { authorization: switchboard.client.authorization, 'content-type': type },
        body: Buffer.from(stringify({ query: mutation })),
      });
      expect(answer.status).toBe(415);
    }
    expect(await switchboard.sql('select 1 from connections')).toEqual([]);
  });
});

describe('A GraphQL client gets a GraphQL error for every refused request', () => {
  const post = (body: string, headers: Record<string, string> = {}, method = 'POST') =>
    fetch(`${switchboard.publicUrl}/graphql`, {
      method,
      headers: { 'content-type': 'application/json', authorization: switchboard.client.authorization, ...headers },
      body: body === '' ? undefined : body,
    });

  it.each<[string, () => Promise<Response>, number, string]>([
    ['JSON that is none', () => post('{"query": "a secret'), 400, 'BAD_USER_INPUT'],
    ['no body', () => post(''), 400, 'BAD_USER_INPUT'],
    ['JSON that is no object', () => post('[]'), 400, 'BAD_REQUEST'],
    ['JSON with a prototype', () => post('{"__proto__": {"query": "a secret"}}'), 400, 'BAD_USER_INPUT'],
    ['a body that is too large', () => post(JSON.stringify({ query: ' '.repeat(9_000_000) })), 413, 'PAYLOAD_TOO_LARGE'],
    ['a type that is not taken', () => post('a secret', { 'content-type': 'text/csv' }), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['PUT', () => post('{"query": "{ a secret"', {}, 'PUT'), 405, 'METHOD_NOT_ALLOWED'],
    ['PUT without a body', () => post('', {}, 'PUT'), 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', () => post('', {}, 'DELETE'), 405, 'METHOD_NOT_ALLOWED'],
    ['wrong credentials', () => post('{"query": "{ a }"}', { authorization: 'Basic YTpi' }), 401, 'UNAUTHENTICATED'],
  ])('%s', async (_what, request, status, code) => {
    const answer = await request();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json/);
    const body = (await answer.json()) as { errors: object[] };
    expect(body.errors).toMatchObject([{ message: expect.stringMatching(/\w\./), extensions: { code } }]);
    expect(JSON.stringify(body)).not.toMatch(/a secret|"status"|"detail"/);
    if (status === 405) expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('in the newer media type, when the client accepts that', async () => {
    const answer = await post('{', { accept: 'application/graphql-response+json, application/json;q=0.9' });
    expect(answer.headers.get('content-type')).toMatch(/^application\/graphql-response\+json/);
  });
});

describe('A value of the request is not repeated in an error', () => {
  const CREATE = 'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }';
  const authConfig = { token: 'a secret; with a semicolon' };

  it.each<[string, object, string]>([
    [
      'beside an unknown field',
      { type: 'WEBHOOK', webhook: { authConfig, nope: 1 } },
      'got an invalid value at "input.webhook"; Field "nope"',
    ],
    [
      'beside a missing one',
      { type: 'WEBHOOK', webhook: { extraHeaders: [{ name: authConfig.token }] } },
      'got an invalid value at "input.webhook.extraHeaders.0"; Field "value" of required type',
    ],
  ])('%s', async (_what, input, message) => {
    const { status, errors } = await send(CREATE, { input });
    expect(status).toBe(400);
    expect(errors?.[0].message).toContain(message);
    expect(JSON.stringify(errors)).not.toContain('a secret');
  });
});

describe('An unexpected error shows an id and no internals', () => {
  async function withoutTable<T>(table: string, work: () => Promise<T>): Promise<T> {
    await switchboard.sql(`alter table ${table} rename to elsewhere`);
    try {
      return await work();
    } finally {
      await switchboard.sql(`alter table elsewhere rename to ${table}`);
    }
  }

  it.each([
    [
      'in a query',
      'credentials',
      '{ klaviyoApp { sandbox } connections { edges { node { id configuration { __typename } } } } }',
    ],
    [
      'in a mutation',
      'connections',
      'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } userErrors { code } } }',
    ],
    ['before any field', 'api_keys', '{ organization { id } }'],
  ])('%s', async (_where, table, query) => {
    const { createConnection } = await switchboard.client.query(
      'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } } }',
    );
    expect(createConnection.connection.id).toBeTruthy();
    const { status, errors } = await withoutTable(table, () => send(query));
    expect(status).toBe(500);
    expect(errors).toHaveLength(1);
    expect(errors?.[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: expect.stringMatching(UUID) });
    expect(errors?.[0].message).toBe(`Something went wrong on our side. Tell support this id: ${errors?.[0].extensions.id}`);
    expect(JSON.stringify(errors)).not.toMatch(/relation|does not exist|elsewhere|select|stack/i);
  });

  it('also when a stored value cannot be shown', async () => {
    const { id } = await createWebhook(switchboard.client);
    await switchboard.sql(`update connections set configuration = configuration || '{"url": "what is this"}' where id = ?`, [id]);
    const { data, errors } = await send(
      'query ($id: ID!) { connection(id: $id) { id configuration { ... on WebhookConfiguration { url } } } }',
      { id },
    );
    expect(data).toEqual({ connection: null });
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(UUID),
        path: ['connection', 'configuration', 'url'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', id: expect.stringMatching(UUID) },
      },
    ]);
    expect(JSON.stringify(errors)).not.toContain('what is this');
  });
});

describe('A document has limits', () => {
  const aliases = (count: number) =>
    `{ ${Array.from({ length: count }, (_, index) => `a${index}: klaviyoApp { sandbox }`).join(' ')} }`;

  it.each<[string, string]>([
    ['tokens', `{ ${'__typename '.repeat(4_100)} }`],
    ['aliases', aliases(31)],
    ['directives', `{ __typename ${'@include(if: true) '.repeat(31)} }`],
    [
      'depth',
      `{ connections { edges { node { subscriptions { edges { node { connection { subscriptions { edges { node { connection { subscriptions { edges { node { id } } } } } } } } } } } } } }`,
    ],
  ])('of %s', async (_what, query) => {
    const { status, errors } = await send(query);
    expect(status).toBe(400);
    expect(errors?.[0].extensions.code).toMatch(/GRAPHQL_(VALIDATION|PARSE)_FAILED/);
  });

  it("that are large enough for GraphiQL's introspection", async () => {
    const { getIntrospectionQuery } = await import('graphql');
    expect(await send(getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true }))).toMatchObject({
      status: 200,
      errors: undefined,
    });
    expect(await send(aliases(30))).toMatchObject({ status: 200 });
  });
});
