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
const LIST = `{ apiKeys { ${FIELDS} } }`;
const ASK = '{ organization { name } }';

async function create(client: GraphQLClient, input: object) {
  const { createApiKey } = await client.query(CREATE, { input });
  const { apiKey, secretKey } = createApiKey;
  return { ...createApiKey, client: new GraphQLClient(client.url, { publicKey: apiKey?.publicKey, secretKey }) };
}

describe('createApiKey', () => {
  it('shows the secret once, and the key works at once', async () => {
    const { apiKey, secretKey, client, userErrors } = await create(switchboard.client, { name: ' Shop ', scopes: ['READ'] });
    expect(userErrors).toEqual([]);
    expect(apiKey).toMatchObject({ name: 'Shop', scopes: ['READ'], oauthOnly: false, lastUsedAt: null, revokedAt: null });
    expect(secretKey).toMatch(/^sk_[\w-]{43}$/);
    expect(await client.query(ASK)).toEqual({ organization: { name: 'Acme' } });
    const { apiKeys } = await switchboard.client.query(LIST);
    expect(apiKeys[0]).toMatchObject({ id: apiKey.id, lastUsedAt: expect.any(String) });
    expect(JSON.stringify(apiKeys)).not.toContain(secretKey);
  });

  it("gives the caller's scopes unless it names some, and never more", async () => {
    expect((await create(switchboard.client, {})).apiKey.scopes).toEqual(['MANAGE', 'PUBLISH', 'READ']);
    const manager = await create(switchboard.client, { scopes: ['MANAGE'] });
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

  it('can make a key for OAuth only', async () => {
    const { client, apiKey } = await create(switchboard.client, { oauthOnly: true });
    expect(apiKey.oauthOnly).toBe(true);
    expect(await client.send(ASK)).toMatchObject({ status: 401 });
  });

  it('like the list, needs the scope "manage"', async () => {
    const { client } = await create(switchboard.client, { scopes: ['READ', 'PUBLISH'] });
    expect(await client.send(CREATE, { input: {} })).toMatchObject({ status: 403 });
    expect(await client.send(REVOKE, { id: '1' })).toMatchObject({ status: 403 });
    expect(await client.send(LIST)).toMatchObject({ status: 403 });
  });
});

describe('revokeApiKey', () => {
  it('ends a key at once; again changes nothing', async () => {
    const { client, apiKey } = await create(switchboard.client, {});
    const { revokeApiKey } = await switchboard.client.query(REVOKE, { id: apiKey.id });
    expect(revokeApiKey).toMatchObject({ apiKey: { id: apiKey.id, revokedAt: expect.any(String) }, userErrors: [] });
    expect(await client.send(ASK)).toMatchObject({ status: 401 });
    expect((await switchboard.client.query(REVOKE, { id: apiKey.id })).revokeApiKey).toEqual(revokeApiKey);
  });

  it('rotates without a gap: a new key, then the old one ends itself', async () => {
    const old = await switchboard.anotherOrganization('Initech');
    const { client } = await create(old, { name: 'Next' });
    const { apiKeys } = await client.query(LIST);
    const oldId = apiKeys.find(({ publicKey }: { publicKey: string }) => publicKey === old.keys.publicKey).id;
    expect((await old.query(REVOKE, { id: oldId })).revokeApiKey.userErrors).toEqual([]);
    expect(await old.send(ASK)).toMatchObject({ status: 401 });
    expect(await client.query(ASK)).toEqual({ organization: { name: 'Initech' } });
  });

  it('refuses the last key that can manage, also when two are revoked at once', async () => {
    const client = await switchboard.anotherOrganization('Umbrella');
    await create(client, { scopes: ['READ'] });
    const [{ id }] = (await client.query(LIST)).apiKeys.filter(({ scopes }: { scopes: string[] }) => scopes.includes('MANAGE'));
    expect((await client.query(REVOKE, { id })).revokeApiKey).toMatchObject({
      apiKey: null,
      userErrors: [{ code: 'CONFLICT', path: ['id'], message: expect.stringContaining('create another one first') }],
    });
    const second = await create(client, {});
    const answers = await Promise.all([client.send(REVOKE, { id: second.apiKey.id }), second.client.send(REVOKE, { id })]);
    expect(answers.filter(({ data }) => data?.revokeApiKey.userErrors.length === 0)).toHaveLength(1);
    const [{ count }] = await switchboard.sql(
      "select count(*)::int from api_keys where organization_id = ? and revoked_at is null and 'manage' = any(scopes)",
      [client.keys.organizationId],
    );
    expect(count).toBe(1);
  });

  it("does not find somebody else's", async () => {
    const stranger = await switchboard.anotherOrganization();
    const [{ id }] = (await switchboard.client.query(LIST)).apiKeys;
    const foreign = (await stranger.query(REVOKE, { id })).revokeApiKey;
    expect(foreign).toEqual((await stranger.query(REVOKE, { id: '987654' })).revokeApiKey);
    expect(foreign.userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});
