import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';
import { createConnection, createWebhook, findConnection } from './support/connectionCalls.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ALLOW_PRIVATE_NETWORKS: '10.1.0.0/16' });
});
afterAll(() => switchboard.close());

const create = (input: object) => createConnection(switchboard.client, input);
const url = 'https://example.com/hooks';
const SECRETS = {
  BEARER: { token: 'a-very-secret-token' },
  BASIC: { username: 'me', password: 'p:ass wörd' },
  API_KEY: { headerName: 'X-Api-Key', apiKey: 'a-very-secret-key' },
} as const;

describe('A webhook connection', () => {
  it('is ACTIVE at once, and requires only a URL', async () => {
    const { connection, userErrors } = await create({ type: 'WEBHOOK', webhook: { url } });
    expect(userErrors).toEqual([]);
    expect(connection).toEqual({
      id: expect.stringMatching(/^\d+$/),
      type: 'WEBHOOK',
      name: null,
      status: 'ACTIVE',
      statusReason: null,
      createdAt: expect.any(String),
      updatedAt: connection.createdAt,
      configuration: { url, authType: 'NONE', extraHeaders: [] },
    });
    expect(await findConnection(switchboard.client, connection.id)).toEqual(connection);
  });

  it.each(Object.entries(SECRETS))(
    'with %s stores its secrets encrypted, and shows only the kind of authentication',
    async (authType, authConfig) => {
      const connection = await createWebhook(switchboard.client, { authType, authConfig });
      expect(connection.configuration).toEqual({ url, authType, extraHeaders: [] });
      const [row] = await switchboard.sql('select * from connections where id = ?', [connection.id]);
      expect(JSON.parse(testCipher.decrypt(row.auth_config, columnIdentity.authConfig(Number(connection.id))))).toEqual(
        authConfig,
      );
      for (const secret of Object.values(authConfig).slice(-1)) expect(JSON.stringify(row)).not.toContain(secret);
    },
  );

  it('keeps extra headers in order, and trims its name', async () => {
    const extraHeaders = [
      { name: 'X-Two', value: '' },
      { name: 'x-one', value: 'a, b; c="d"' },
    ];
    const connection = await createWebhook(switchboard.client, { extraHeaders }, '  Über shop  ');
    expect(connection).toMatchObject({ name: 'Über shop', configuration: { extraHeaders } });
  });

  it('may be in a private network that the operator allows', async () => {
    expect(await createWebhook(switchboard.client, { url: 'http://10.1.2.3:8080/x' })).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('A Klaviyo connection', () => {
  it("waits for its authorization, and requests the server's default scopes", async () => {
    expect(await create({ type: 'KLAVIYO', name: '' })).toMatchObject({
      connection: {
        type: 'KLAVIYO',
        name: null,
        status: 'PENDING_AUTHORIZATION',
        statusReason: 'Nobody has authorized it yet.',
        configuration: {
          requestedScopes: ['accounts:read', 'events:write'],
          grantedScopes: [],
          missingScopes: [],
          account: null,
        },
      },
      userErrors: [],
    });
  });

  it('always requests accounts:read, and each scope once', async () => {
    const scopes = async (given: string[]) =>
      (await create({ type: 'KLAVIYO', klaviyo: { scopes: given } })).connection.configuration.requestedScopes;
    expect(await scopes([])).toEqual(['accounts:read']);
    expect(await scopes(['events:write', 'events:write', 'accounts:read'])).toEqual(['accounts:read', 'events:write']);
  });

  it('requests a scope that this server does not know, with a warning', async () => {
    const query = `mutation ($input: CreateConnectionInput!) { createConnection(input: $input) {
      connection { configuration { ... on KlaviyoConfiguration { requestedScopes } } } warnings { code message path } userErrors { code }
    } }`;
    const input = { type: 'KLAVIYO', klaviyo: { scopes: ['events:write', 'holograms:write', 'forms:write'] } };
    expect((await switchboard.client.query(query, { input })).createConnection).toEqual({
      connection: { configuration: { requestedScopes: ['accounts:read', 'events:write', 'holograms:write', 'forms:write'] } },
      warnings: [{ code: 'UNKNOWN_SCOPE', message: expect.stringContaining('klaviyoScopes'), path: ['klaviyo', 'scopes', '1'] }],
      userErrors: [],
    });
    const { createConnection } = await switchboard.client.query(query, { input: { type: 'KLAVIYO', webhook: { url } } });
    expect(createConnection).toMatchObject({ connection: null, warnings: [], userErrors: [{ code: 'INVALID' }] });
  });
});

type Problem = [code: string, ...path: string[]];
const headers = (...names: string[]) => names.map((name) => ({ name, value: 'x' }));

describe('Problems that a person can fix are userErrors, all at once, and no connection is created:', () => {
  it.each<[string, object, ...Problem[]]>([
    ['no webhook configuration', { type: 'WEBHOOK' }, ['REQUIRED', 'webhook']],
    ['no URL', { type: 'WEBHOOK', webhook: {} }, ['REQUIRED', 'webhook', 'url']],
    ['another type of configuration', { type: 'WEBHOOK', webhook: { url }, klaviyo: {} }, ['INVALID', 'klaviyo']],
    ['a webhook for Klaviyo', { type: 'KLAVIYO', webhook: { url } }, ['INVALID', 'webhook']],
    ['a name that is too long', { type: 'KLAVIYO', name: 'n'.repeat(201) }, ['INVALID', 'name']],
    ['a name of two lines', { type: 'KLAVIYO', name: 'a\nb' }, ['INVALID', 'name']],
    ['a name with a NUL', { type: 'KLAVIYO', name: 'a\u0000b' }, ['INVALID', 'name']],
    [
      'a malformed scope (RFC 6749 3.3)',
      { type: 'KLAVIYO', klaviyo: { scopes: ['events:read', '', 'two words', 'a"b', 'a\\b', 'é', 's'.repeat(101)] } },
      ...['1', '2', '3', '4', '5', '6'].map((index): Problem => ['INVALID', 'klaviyo', 'scopes', index]),
    ],
    [
      'BEARER without a token',
      { type: 'WEBHOOK', webhook: { url, authType: 'BEARER' } },
      ['REQUIRED', 'webhook', 'authConfig', 'token'],
    ],
    [
      'BASIC without anything',
      { type: 'WEBHOOK', webhook: { url, authType: 'BASIC', authConfig: {} } },
      ['REQUIRED', 'webhook', 'authConfig', 'username'],
      ['REQUIRED', 'webhook', 'authConfig', 'password'],
    ],
    [
      'API_KEY without a key',
      { type: 'WEBHOOK', webhook: { url, authType: 'API_KEY', authConfig: { headerName: 'X-K' } } },
      ['REQUIRED', 'webhook', 'authConfig', 'apiKey'],
    ],
    [
      'secrets of another kind of auth',
      { type: 'WEBHOOK', webhook: { url, authType: 'BEARER', authConfig: { token: 't', apiKey: 'k', headerName: 'h' } } },
      ['INVALID', 'webhook', 'authConfig', 'headerName'],
      ['INVALID', 'webhook', 'authConfig', 'apiKey'],
    ],
    [
      'secrets without a kind',
      { type: 'WEBHOOK', webhook: { url, authConfig: { token: 't' } } },
      ['INVALID', 'webhook', 'authConfig', 'token'],
    ],
    [
      'a token with a space (RFC 6750 2.1)',
      { type: 'WEBHOOK', webhook: { url, authType: 'BEARER', authConfig: { token: 'a b' } } },
      ['INVALID', 'webhook', 'authConfig', 'token'],
    ],
    [
      'a user name with a colon (RFC 7617 2)',
      { type: 'WEBHOOK', webhook: { url, authType: 'BASIC', authConfig: { username: 'a:b', password: 'p' } } },
      ['INVALID', 'webhook', 'authConfig', 'username'],
    ],
    [
      'a password of two lines',
      { type: 'WEBHOOK', webhook: { url, authType: 'BASIC', authConfig: { username: 'a', password: 'p\r\nX: y' } } },
      ['INVALID', 'webhook', 'authConfig', 'password'],
    ],
    [
      'a key in a header that frames the message',
      { type: 'WEBHOOK', webhook: { url, authType: 'API_KEY', authConfig: { headerName: 'Content-Length', apiKey: '1' } } },
      ['INVALID', 'webhook', 'authConfig', 'headerName'],
    ],
    [
      'a key in a header that signs it',
      { type: 'WEBHOOK', webhook: { url, authType: 'API_KEY', authConfig: { headerName: 'webhook-signature', apiKey: '1' } } },
      ['INVALID', 'webhook', 'authConfig', 'headerName'],
    ],
    [
      'extra headers that frame, sign or authenticate',
      {
        type: 'WEBHOOK',
        webhook: { url, extraHeaders: headers('Host', 'X-Fine', 'Webhook-Id', 'authorization', 'bad name', '') },
      },
      ...['0', '2', '3', '4', '5'].map((index): Problem => ['INVALID', 'webhook', 'extraHeaders', index]),
    ],
    [
      'a header twice',
      { type: 'WEBHOOK', webhook: { url, extraHeaders: headers('X-A', 'x-a') } },
      ['INVALID', 'webhook', 'extraHeaders', '1', 'name'],
    ],
    [
      'a header of two lines',
      { type: 'WEBHOOK', webhook: { url, extraHeaders: [{ name: 'X-A', value: 'a\r\nHost: b' }] } },
      ['INVALID', 'webhook', 'extraHeaders', '0'],
    ],
    [
      'twenty-one headers',
      { type: 'WEBHOOK', webhook: { url, extraHeaders: headers(...Array.from({ length: 21 }, (_, index) => `X-${index}`)) } },
      ['INVALID', 'webhook', 'extraHeaders'],
    ],
    [
      'everything at once',
      {
        type: 'WEBHOOK',
        name: 'a\tb',
        webhook: { url: 'ftp://example.com/', authType: 'BEARER', extraHeaders: headers('Host') },
      },
      ['INVALID', 'name'],
      ['INVALID', 'webhook', 'url'],
      ['REQUIRED', 'webhook', 'authConfig', 'token'],
      ['INVALID', 'webhook', 'extraHeaders', '0'],
    ],
  ])('%s', async (_what, input, ...problems) => {
    const count = async () => (await switchboard.sql('select count(*)::int from connections'))[0].count;
    const before = await count();
    const { connection, userErrors } = await create(input);
    expect(connection).toBeNull();
    const found = userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, ...path]);
    expect(found.sort()).toEqual(problems.sort());
    for (const { message } of userErrors) expect(message).toMatch(/^.+\.$/);
    expect(await count()).toBe(before);
  });

  it.each([
    'ftp://example.com/',
    'https://user:pass@example.com/',
    'https://example.com/#part',
    'http://127.0.0.1/',
    'http://localhost:3000/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://10.2.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data/',
    `https://example.com/${'x'.repeat(2_048)}`,
  ])('the URL %s', async (bad) => {
    expect(await create({ type: 'WEBHOOK', webhook: { url: bad } })).toMatchObject({
      connection: null,
      userErrors: [{ code: 'INVALID', path: ['webhook', 'url'] }],
    });
  });
});

describe('Errors of the call itself have HTTP status 400:', () => {
  it.each<[string, object]>([
    ['an unknown type', { type: 'FAX' }],
    ['a URL that is none', { type: 'WEBHOOK', webhook: { url: 'not a url' } }],
    ['an unknown field', { type: 'KLAVIYO', colour: 'red' }],
  ])('%s', async (_what, input) => {
    const { status, data, errors } = await switchboard.client.send(
      'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }',
      { input },
    );
    expect({ status, data }).toEqual({ status: 400, data: undefined });
    expect(errors?.[0].extensions.code).toBe('BAD_USER_INPUT');
  });
});
