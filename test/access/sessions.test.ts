import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../src/access/apiKeys.js';
import { sweepSessions } from '../../src/access/sessions.js';
import { hashSecret } from '../../src/domain/secrets.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { makeSession, tryCreateSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let other: TestSwitchboard;
beforeAll(async () => {
  const environment = { ROLE: 'api', SESSIONS_PER_ORGANIZATION: '5', RETURN_TO_ORIGINS: 'https://app.example.com' };
  switchboard = await startSwitchboard(environment);
  other = await startSwitchboard(environment, switchboard.testDatabase);
});
afterAll(async () => {
  await other.close();
  await switchboard.close();
});

const SEE_SELF = '{ session { id permissions connection { id } origin returnTo locale } }';
const END = 'mutation ($id: ID!) { endSession(input: { id: $id }) { session { id endedAt } userErrors { code path } } }';
const LIST = `query ($filter: SessionFilter, $first: Int, $after: String) { sessions(filter: $filter, first: $first, after: $after) {
  totalCount edges { node { id endedAt } } pageInfo { hasNextPage endCursor } } }`;
const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1_000;

describe('createSession', () => {
  it('returns a token of 256 bits, of which only the hash is stored, and a page for CONNECT', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createKlaviyoConnection(client);
    const input = {
      ...{ permissions: ['MANAGE', 'CONNECT'], connectionId: id, origin: 'https://app.example.com', locale: 'nl-nl' },
      ...{ returnTo: 'https://app.example.com/done?x=1', expiresIn: 600 },
    };
    const { token, url, session, userErrors } = await tryCreateSession(client, input);
    expect(userErrors).toEqual([]);
    expect(token).toMatch(/^ses_[\w-]{43}$/);
    expect(url).toBe(`${switchboard.publicUrl}/connect/${token}`);
    expect(session).toMatchObject({
      ...{ permissions: ['CONNECT', 'MANAGE'], connection: { id }, origin: 'https://app.example.com', endedAt: null },
      ...{ returnTo: 'https://app.example.com/done?x=1', locale: 'nl-NL' },
    });
    expect(secondsBetween(session.createdAt, session.expiresAt)).toBe(600);
    const [row] = await switchboard.sql('select * from sessions where id = ?', [session.id]);
    expect(row.token_hash).toBe(hashSecret(token));
    expect(JSON.stringify(row)).not.toContain(token.slice(4));
    const self = await client.send(SEE_SELF, {}, { authorization: `Bearer ${token}` });
    expect(self.data.session).toMatchObject({ id: session.id, connection: { id }, locale: 'nl-NL' });
    expect((await client.query(SEE_SELF)).session).toBeNull();
  });

  it('creates a session of 30 minutes without a page by default', async () => {
    const { session, url } = await tryCreateSession(await switchboard.anotherOrganization(), { permissions: ['VIEW'] });
    expect(secondsBetween(session.createdAt, session.expiresAt)).toBe(1_800);
    expect([url, session.connection, session.origin, session.returnTo, session.locale]).toEqual([null, null, null, null, null]);
  });

  it('gives no permission whose scopes the key does not have itself', async () => {
    const organizationId = switchboard.client.keys.organizationId as number;
    const keys = await addApiKey({ em: switchboard.database.em() }, { organizationId, scopes: ['admin'] });
    const admin = new GraphQLClient(switchboard.client.url, keys);
    const connectionId = await createKlaviyoConnection(switchboard.client);
    for (const [permissions, path] of [
      [['MANAGE'], ['permissions', '0']],
      [['VIEW'], ['permissions', '0']],
      [['CONNECT'], ['permissions', '0']],
    ]) {
      const { createSession } = await admin.query(
        'mutation ($input: CreateSessionInput!) { createSession(input: $input) { token userErrors { code path } } }',
        { input: { permissions, connectionId } },
      );
      const { userErrors, token } = createSession;
      expect(userErrors).toMatchObject([{ code: 'FORBIDDEN', path }]);
      expect(token).toBeNull();
    }
  });

  it.each<[object, string, string[]]>([
    [{ permissions: [] }, 'REQUIRED', ['permissions']],
    [{ permissions: ['VIEW', 'VIEW', 'VIEW', 'VIEW'] }, 'MAX_VALUE', ['permissions']],
    [{ permissions: ['CONNECT'] }, 'REQUIRED', ['connectionId']],
    [{ permissions: ['CONNECT'], connectionId: 'webhook' }, 'INVALID', ['connectionId']],
    [{ permissions: ['VIEW'], connectionId: '987654' }, 'NOT_FOUND', ['connectionId']],
    [{ permissions: ['VIEW'], expiresIn: 299 }, 'MIN_VALUE', ['expiresIn']],
    [{ permissions: ['VIEW'], expiresIn: 86_401 }, 'MAX_VALUE', ['expiresIn']],
    ...[
      ...['http://app.example.com', 'https://app.example.com/path', 'https://app.example.com/?', 'https://app.example.com#'],
      ...['https://user@app.example.com', 'null', '*', 'https://*.example.com/x', 'app.example.com', 'javascript:alert(1)', ''],
      ...['https://*', 'https://*.example.com', 'https://a;sandbox', 'https://a,b.example', 'https://a%2cb.example'],
      ...['ftp://localhost', 'http://localhost.example.com', `https://${'a'.repeat(300)}.com`],
    ].map((origin) => [{ permissions: ['VIEW'], origin }, 'INVALID', ['origin']] as [object, string, string[]]),
    [{ permissions: ['VIEW'], returnTo: 'https://evil.example/' }, 'INVALID', ['returnTo']],
    [{ permissions: ['VIEW'], origin: 'https://shop.example', returnTo: 'https://evil.example/' }, 'INVALID', ['returnTo']],
    [{ permissions: ['VIEW'], locale: 'not a locale' }, 'INVALID', ['locale']],
  ])('refuses %j with %s', async (given, code, path) => {
    const isWebhook = (given as { connectionId?: string }).connectionId === 'webhook';
    const input = isWebhook ? { ...given, connectionId: await createWebhookConnection(switchboard.client) } : given;
    const { userErrors, token, session } = await tryCreateSession(switchboard.client, input);
    expect(userErrors).toMatchObject([{ code, path }]);
    expect([token, session]).toEqual([null, null]);
  });

  it.each([
    ['https://APP.example.com:443/', 'https://app.example.com'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
  ])('accepts the origin %s as browsers send it', async (origin, sent) => {
    const client = await switchboard.anotherOrganization();
    const { session } = await tryCreateSession(client, { permissions: ['VIEW'], origin, returnTo: `${sent}/done` });
    expect(session).toMatchObject({ origin: sent, returnTo: `${sent}/done` });
  });

  it('is for keys with ADMIN: no access token, no other key, no session', async () => {
    const client = await switchboard.anotherOrganization();
    const { createApiKey } = await client.query(
      'mutation { createApiKey(input: { scopes: [MANAGE, PUBLISH, READ] }) { apiKey { publicKey } secretKey } }',
    );
    const lesser = `Basic ${Buffer.from(`${createApiKey.apiKey.publicKey}:${createApiKey.secretKey}`).toString('base64')}`;
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: client.authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: accessToken } = (await answer.json()) as { access_token: string };
    const session = await makeSession(client, { permissions: ['MANAGE'] });
    const create = 'mutation { createSession(input: { permissions: [VIEW] }) { token } }';
    for (const authorization of [lesser, `Bearer ${accessToken}`, session.authorization]) {
      for (const [operation, variables] of [
        [create, {}],
        [END, { id: session.id }],
        [LIST, {}],
      ] as const) {
        expect(await client.send(operation, variables, { authorization })).toMatchObject({
          ...{ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] },
        });
      }
    }
  });

  it('creates at most as many as the limit allows, also concurrently', async () => {
    const client = await switchboard.anotherOrganization();
    const create = 'mutation { createSession(input: { permissions: [VIEW] }) { session { id } } }';
    const answers = await Promise.all(Array.from({ length: 12 }, () => client.send(create)));
    const made = answers.filter(({ data }) => data?.createSession?.session);
    expect(made).toHaveLength(5);
    for (const { errors, headers } of answers.filter((answer) => !made.includes(answer))) {
      expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(1_700);
    }
    await client.query(END, { id: made[0]?.data.createSession.session.id });
    expect((await client.send(create)).errors).toBeUndefined();
  });
});

describe('A session ends at once, in every process', () => {
  const callElsewhere = (authorization: string) =>
    fetch(`${other.publicUrl}/graphql`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', authorization } },
      body: JSON.stringify({ query: SEE_SELF }),
    });
  const codeElsewhere = async (authorization: string) => {
    const answer = await callElsewhere(authorization);
    const { errors } = (await answer.json()) as { errors?: { extensions: { code: string } }[] };
    return [answer.status, errors?.[0]?.extensions.code];
  };

  it('by endSession, which can be repeated', async () => {
    const client = await switchboard.anotherOrganization();
    const { id, authorization } = await makeSession(client, { permissions: ['VIEW'] });
    expect((await callElsewhere(authorization)).status).toBe(200);
    const { endedAt } = (await client.query(END, { id })).endSession.session;
    expect(await codeElsewhere(authorization)).toEqual([401, 'SESSION_ENDED']);
    expect((await client.query(END, { id })).endSession.session.endedAt).toBe(endedAt);
    const challenge = (await callElsewhere(authorization)).headers.get('www-authenticate');
    expect(challenge).toBe('Bearer realm="switchboard", error="invalid_token"');
  });

  it('when its key is revoked', async () => {
    const client = await switchboard.anotherOrganization();
    const made = 'mutation { createApiKey(input: { scopes: [ADMIN, READ] }) { apiKey { id publicKey } secretKey } }';
    const { apiKey, secretKey } = (await client.query(made)).createApiKey;
    const authorization = `Basic ${Buffer.from(`${apiKey.publicKey}:${secretKey}`).toString('base64')}`;
    const create = 'mutation { createSession(input: { permissions: [VIEW] }) { token session { id } } }';
    const { data } = await client.send(create, {}, { authorization });
    expect((await callElsewhere(`Bearer ${data.createSession.token}`)).status).toBe(200);
    await client.query('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { userErrors { code } } }', { id: apiKey.id });
    expect(await codeElsewhere(`Bearer ${data.createSession.token}`)).toEqual([401, 'SESSION_ENDED']);
    const { sessions } = await client.query(LIST, { filter: { isAlive: false } });
    expect(sessions.edges).toMatchObject([{ node: { id: data.createSession.session.id, endedAt: expect.any(String) } }]);
  });

  it('when its connection is deleted, and never becomes one for the whole organization', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createKlaviyoConnection(client);
    const { authorization } = await makeSession(client, { permissions: ['CONNECT', 'MANAGE'], connectionId });
    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: connectionId });
    expect(await codeElsewhere(authorization)).toEqual([401, 'SESSION_ENDED']);
  });

  it('also when it is being created at that moment', async () => {
    const client = await switchboard.anotherOrganization();
    for (let round = 0; round < 8; round += 1) {
      const connectionId = await createWebhookConnection(client);
      const [{ token }] = await Promise.all([
        tryCreateSession(client, { permissions: ['VIEW'], connectionId }),
        client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: connectionId }),
      ]);
      if (token) expect(await codeElsewhere(`Bearer ${token}`)).toEqual([401, 'SESSION_ENDED']);
    }
    expect((await client.query(LIST, { filter: { isAlive: true } })).sessions.totalCount).toBe(0);
  });

  it('when it expires', async () => {
    const client = await switchboard.anotherOrganization();
    const { id, authorization } = await makeSession(client, { permissions: ['VIEW'], expiresIn: 300 });
    await switchboard.sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [id]);
    expect(await codeElsewhere(authorization)).toEqual([401, 'SESSION_EXPIRED']);
    expect((await client.query(END, { id })).endSession.session.endedAt).toBeNull();
    expect(await codeElsewhere(authorization)).toEqual([401, 'SESSION_EXPIRED']);
  });
});

describe('sessions', () => {
  it('lists those of the organization in pages, filtered by whether they are valid', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createWebhookConnection(client);
    const first = await makeSession(client, { permissions: ['VIEW'] });
    const second = await makeSession(client, { permissions: ['VIEW'], connectionId });
    const third = await makeSession(client, { permissions: ['VIEW'] });
    await client.query(END, { id: first.id });
    await switchboard.sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [third.id]);
    const list = async (filter: object) =>
      (await client.query(LIST, { filter })).sessions.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(await list({})).toEqual([third.id, second.id, first.id]);
    expect(await list({ isAlive: true })).toEqual([second.id]);
    expect(await list({ isAlive: false })).toEqual([third.id, first.id]);
    expect(await list({ connectionId })).toEqual([second.id]);
    const page = (await client.query(LIST, { first: 2 })).sessions;
    expect(page).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
    const rest = (await client.query(LIST, { first: 2, after: page.pageInfo.endCursor })).sessions;
    expect(rest.edges).toMatchObject([{ node: { id: first.id } }]);
    expect((await (await switchboard.anotherOrganization()).query(LIST)).sessions.totalCount).toBe(0);
  });

  it('are deleted 30 days after their end', async () => {
    const client = await switchboard.anotherOrganization();
    const kept = await makeSession(client, { permissions: ['VIEW'] });
    const ended = await makeSession(client, { permissions: ['VIEW'] });
    const expired = await makeSession(client, { permissions: ['VIEW'] });
    await switchboard.sql("update sessions set ended_at = now() - interval '31 days' where id = ?", [ended.id]);
    await switchboard.sql("update sessions set expires_at = now() - interval '31 days' where id = ?", [expired.id]);
    expect(await sweepSessions(switchboard)).toBe(2);
    const { sessions } = await client.query(LIST);
    expect(sessions.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual([kept.id]);
  });
});

describe('A session with MANAGE', () => {
  it('cannot set externalId and metadata of connections and subscriptions', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createWebhookConnection(client);
    const { authorization } = await makeSession(client, { permissions: ['MANAGE'] });
    const ask = async (name: string, input: object) => {
      const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
      const query = `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code path } } }`;
      return (await client.send(query, { input }, { authorization })).data[name].userErrors;
    };
    const refused = (...fields: string[]) => fields.map((field) => ({ code: 'FORBIDDEN', path: [field] }));
    const webhook = { url: 'https://example.com/b' };
    expect(await ask('createConnection', { type: 'WEBHOOK', webhook, externalId: 'mine' })).toEqual(refused('externalId'));
    expect(await ask('updateConnection', { id: connectionId, externalId: null, metadata: {} })).toEqual(
      refused('externalId', 'metadata'),
    );
    const subscription = { connectionId, eventType: 'parcels.event.created' };
    expect(await ask('createSubscription', { ...subscription, metadata: { a: 1 } })).toEqual(refused('metadata'));
    expect(await ask('createSubscription', subscription)).toEqual([]);
  });
});

describe('An authorization that a session starts', () => {
  const START = `mutation ($input: StartAuthorizationInput!) { startAuthorization(input: $input) {
    authorizationUrl authorization { id } userErrors { code path } } }`;
  const returnToOf = async (id: string) =>
    (await switchboard.sql('select return_to from authorizations where id = ?', [id]))[0].return_to;

  it("returns to the session's returnTo, or to a page of its origin, and nowhere else", async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createKlaviyoConnection(client);
    const origin = 'https://shop.example';
    const session = await makeSession(client, { permissions: ['CONNECT'], connectionId, origin, returnTo: `${origin}/done` });
    const start = async (input: object) =>
      (await session.send(START, { input: { connectionId, ...input } })).data.startAuthorization;
    expect(await returnToOf((await start({ display: 'POPUP' })).authorization.id)).toBe(`${origin}/done`);
    expect(await returnToOf((await start({ returnTo: `${origin}/other` })).authorization.id)).toBe(`${origin}/other`);
    expect((await start({ returnTo: 'https://evil.example/' })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['returnTo'] },
    ]);
    const byKey = (await client.query(START, { input: { connectionId, returnTo: `${origin}/done` } })).startAuthorization;
    expect(byKey.userErrors).toMatchObject([{ code: 'INVALID', path: ['returnTo'] }]);
  });

  it('links the connection, and links it again', async () => {
    const client = await switchboard.anotherOrganization();
    const connectionId = await createKlaviyoConnection(client);
    const session = await makeSession(client, { permissions: ['CONNECT'], connectionId });
    const asSession = { query: async (query: string, variables: object) => (await session.send(query, variables)).data };
    for (let time = 0; time < 2; time += 1) {
      await connectKlaviyo(asSession as never, undefined, connectionId);
      const { data } = await session.send(
        'query ($id: ID!) { connection(id: $id) { status authorization { status } configuration { ... on KlaviyoConfiguration { account { name } } } } }',
        { id: connectionId },
      );
      expect(data.connection).toMatchObject({ status: 'ACTIVE', authorization: { status: 'COMPLETED' } });
    }
  });
});
