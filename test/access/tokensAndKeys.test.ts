import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const FIELDS = 'id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt';
const CREATE = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { ${FIELDS} } secretKey userErrors { code message path } } }`;
const REVOKE = `mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { ${FIELDS} } userErrors { code message path } } }`;
const LIST = `query ($first: Int, $after: String) { apiKeys(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { ${FIELDS} } } } }`;
const ASK = '{ organization { name } }';

type Key = Record<string, unknown> & { id: string; publicKey: string; scopes: string[] };
const list = async (client: GraphQLClient): Promise<Key[]> =>
  (await client.query(LIST)).apiKeys.edges.map(({ node }: { node: Key }) => node);

async function create(client: GraphQLClient, input: object) {
  const { createApiKey } = await client.query(CREATE, { input });
  const { apiKey, secretKey } = createApiKey;
  return { ...createApiKey, client: new GraphQLClient(client.url, { publicKey: apiKey?.publicKey, secretKey }) };
}

describe('apiKeys', () => {
  it('are listed in pages, newest first, of the own organization only', async () => {
    const client = await switchboard.anotherOrganization('Hooli');
    for (const name of ['second', 'third']) await create(client, { name });
    const { apiKeys: page } = await client.query(LIST, { first: 2 });
    expect(page).toMatchObject({
      totalCount: 3,
      pageInfo: { hasNextPage: true },
      edges: [{ node: { name: 'third' } }, { node: { name: 'second' } }],
    });
    const { apiKeys: rest } = await client.query(LIST, { first: 2, after: page.pageInfo.endCursor });
    expect(rest).toMatchObject({
      pageInfo: { hasNextPage: false },
      edges: [{ node: { publicKey: client.keys.publicKey } }],
    });
  });
});

describe('createApiKey', () => {
  it('returns the secret once, and the key works at once', async () => {
    const { apiKey, secretKey, client, userErrors } = await create(switchboard.client, { name: ' Shop ', scopes: ['READ'] });
    expect(userErrors).toEqual([]);
    expect(apiKey).toMatchObject({ name: 'Shop', scopes: ['READ'], oauthOnly: false, lastUsedAt: null, revokedAt: null });
    expect(secretKey).toMatch(/^sk_[\w-]{43}$/);
    expect(await client.query(ASK)).toEqual({ organization: { name: 'Acme' } });
    const apiKeys = await list(switchboard.client);
    expect(apiKeys[0]).toMatchObject({ id: apiKey.id, lastUsedAt: expect.any(String) });
    expect(JSON.stringify(apiKeys)).not.toContain(secretKey);
  });

  it("gives the caller's scopes but ADMIN by default, and never more than the caller's", async () => {
    expect((await create(switchboard.client, {})).apiKey.scopes).toEqual(['MANAGE', 'PUBLISH', 'READ']);
    const manager = await create(switchboard.client, { scopes: ['MANAGE', 'ADMIN'] });
    expect((await create(manager.client, {})).apiKey.scopes).toEqual(['MANAGE']);
    const refused = await create(manager.client, { scopes: ['MANAGE', 'PUBLISH'] });
    expect(refused).toMatchObject({
      apiKey: null,
      secretKey: null,
      userErrors: [{ code: 'FORBIDDEN', path: ['scopes', '1'], message: expect.stringContaining('"publish"') }],
    });
    expect(await create(manager.client, { scopes: [] })).toMatchObject({ userErrors: [{ code: 'REQUIRED', path: ['scopes'] }] });
    expect(await create(manager.client, { name: 'a\nb' })).toMatchObject({ userErrors: [{ code: 'INVALID', path: ['name'] }] });
  });

  it('can create a key for OAuth only, which never has ADMIN', async () => {
    expect(await create(switchboard.client, { oauthOnly: true, scopes: ['ADMIN'] })).toMatchObject({
      apiKey: null,
      userErrors: [{ code: 'INVALID', path: ['scopes'] }],
    });
    const { client, apiKey } = await create(switchboard.client, { oauthOnly: true });
    expect(apiKey.oauthOnly).toBe(true);
    expect(await client.send(ASK)).toMatchObject({ status: 401 });
  });

  it('requires the scope "admin", like the list', async () => {
    const { client } = await create(switchboard.client, { scopes: ['READ', 'PUBLISH', 'MANAGE'] });
    expect(await client.send(CREATE, { input: {} })).toMatchObject({ status: 403 });
    expect(await client.send(REVOKE, { id: '1' })).toMatchObject({ status: 403 });
    expect(await client.send(LIST)).toMatchObject({ status: 403 });
  });
});

describe('An operation that requires ADMIN', () => {
  const REVEAL = 'mutation ($id: ID!) { revealSigningSecret(input: { connectionId: $id }) { signingSecret } }';
  const ROTATE = 'mutation ($id: ID!) { rotateSigningSecret(input: { connectionId: $id }) { signingSecret } }';
  const CALLS: [string, object][] = [
    [CREATE, { input: {} }],
    [REVOKE, { id: '1' }],
    [LIST, {}],
    [REVEAL, { id: '1' }],
    [ROTATE, { id: '1' }],
  ];
  const tokenOf = async ({ authorization }: GraphQLClient, scope = 'api') => {
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
    });
    return (await answer.json()) as { access_token: string; error: string };
  };

  it.each(CALLS)('is refused for a key with all other scopes: %s', async (query, variables) => {
    const { client } = await create(switchboard.client, { scopes: ['MANAGE', 'PUBLISH', 'READ'] });
    expect(await client.send(query, variables)).toMatchObject({
      status: 403,
      errors: [{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('"admin"') }],
    });
  });

  it.each(CALLS)('is refused for an access token, even of a key with ADMIN: %s', async (query, variables) => {
    const authorization = `Bearer ${(await tokenOf(switchboard.client)).access_token}`;
    expect(await switchboard.client.send(ASK, {}, { authorization })).toMatchObject({ status: 200 });
    expect(await switchboard.client.send(query, variables, { authorization })).toMatchObject({ status: 403 });
  });

  it('is refused for a token that asked for the scope, or whose row contains it', async () => {
    expect(await tokenOf(switchboard.client, 'admin')).toMatchObject({ error: 'invalid_scope' });
    const { access_token } = await tokenOf(switchboard.client);
    const smuggle = "update access_tokens set scopes = array['admin', 'read']";
    await expect(switchboard.sql(smuggle)).rejects.toThrow('access_tokens_scopes_check');
    // Older rows were never checked by this constraint.
    await switchboard.sql('alter table access_tokens drop constraint access_tokens_scopes_check');
    await switchboard.sql(smuggle);
    expect(await switchboard.client.send(LIST, {}, { authorization: `Bearer ${access_token}` })).toMatchObject({ status: 403 });
    const { client } = await create(switchboard.client, { scopes: ['ADMIN'] });
    expect(await tokenOf(client)).toMatchObject({ error: 'invalid_scope' });
  });
});

describe('Access tokens of a key', () => {
  it('are limited in number, also when requested concurrently; other keys are not affected', async () => {
    const strict = await startSwitchboard({ ACCESS_TOKENS_PER_KEY: '10', RATE_LIMIT_PER_MINUTE: '40' }, switchboard.testDatabase);
    try {
      const owner = new GraphQLClient(`${strict.publicUrl}/graphql`, switchboard.client.keys);
      const { client } = await create(owner, { scopes: ['READ'] });
      const issue = ({ authorization }: GraphQLClient) =>
        fetch(`${strict.publicUrl}/oauth2/token`, {
          ...{ method: 'POST', headers: { authorization } },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        });
      const answers = await Promise.all(Array.from({ length: 30 }, () => issue(client)));
      const issued = answers.filter(({ status }) => status === 200);
      expect(issued).toHaveLength(10);
      const refused = answers.find(({ status }) => status === 429) as Response;
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
      expect(await refused.json()).toEqual({
        error: 'invalid_request',
        error_description: expect.stringContaining('may have 10'),
      });
      // Too many requests of one key count neither as writes of its organization nor for another key.
      expect((await owner.send(CREATE, { input: {} })).headers.get('ratelimit-remaining')).toBe('38');
      expect((await issue(owner)).status).toBe(200);

      const { access_token: token } = (await (issued[0] as Response).json()) as { access_token: string };
      await fetch(`${strict.publicUrl}/oauth2/revoke`, {
        ...{ method: 'POST', headers: { authorization: client.authorization }, body: new URLSearchParams({ token }) },
      });
      expect((await issue(client)).status).toBe(200);
      expect((await issue(client)).status).toBe(429);
    } finally {
      await strict.close();
    }
  });
});

describe('revokeApiKey', () => {
  it('revokes a key at once; repeating it changes nothing', async () => {
    const { client, apiKey } = await create(switchboard.client, {});
    const { revokeApiKey } = await switchboard.client.query(REVOKE, { id: apiKey.id });
    expect(revokeApiKey).toMatchObject({ apiKey: { id: apiKey.id, revokedAt: expect.any(String) }, userErrors: [] });
    expect(await client.send(ASK)).toMatchObject({ status: 401 });
    expect((await switchboard.client.query(REVOKE, { id: apiKey.id })).revokeApiKey).toEqual(revokeApiKey);
  });

  it('allows a rotation without a gap: a new key first, then the old one revokes itself', async () => {
    const old = await switchboard.anotherOrganization('Initech');
    const { client } = await create(old, { name: 'Next', scopes: ['ADMIN', 'READ'] });
    const oldId = (await list(client)).find(({ publicKey }) => publicKey === old.keys.publicKey)?.id;
    expect((await old.query(REVOKE, { id: oldId })).revokeApiKey.userErrors).toEqual([]);
    expect(await old.send(ASK)).toMatchObject({ status: 401 });
    expect(await client.query(ASK)).toEqual({ organization: { name: 'Initech' } });
  });

  it('refuses the last key with ADMIN, also when two are revoked at once', async () => {
    const client = await switchboard.anotherOrganization('Umbrella');
    await create(client, { scopes: ['READ', 'MANAGE'] });
    const { id } = (await list(client)).find(({ scopes }) => scopes.includes('ADMIN')) as Key;
    expect((await client.query(REVOKE, { id })).revokeApiKey).toMatchObject({
      apiKey: null,
      userErrors: [{ code: 'CONFLICT', path: ['id'], message: expect.stringContaining('create another one first') }],
    });
    const second = await create(client, { scopes: ['ADMIN'] });
    const answers = await Promise.all([client.send(REVOKE, { id: second.apiKey.id }), second.client.send(REVOKE, { id })]);
    expect(answers.filter(({ data }) => data?.revokeApiKey.userErrors.length === 0)).toHaveLength(1);
    const [{ count }] = await switchboard.sql(
      "select count(*)::int from api_keys where organization_id = ? and revoked_at is null and 'admin' = any(scopes)",
      [client.keys.organizationId],
    );
    expect(count).toBe(1);
  });

  it("does not find another organization's key", async () => {
    const stranger = await switchboard.anotherOrganization();
    const [{ id }] = (await list(switchboard.client)) as [Key];
    const foreign = (await stranger.query(REVOKE, { id })).revokeApiKey;
    expect(foreign).toEqual((await stranger.query(REVOKE, { id: '987654' })).revokeApiKey);
    expect(foreign.userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});
