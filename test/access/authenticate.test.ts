import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey, endApiKey } from '../../src/access/apiKeys.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const basic = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`;

/** Posts a query with exactly these headers. */
async function ask(headers: Record<string, string>, query = '{ organization { id name } }') {
  const response = await fetch(`${switchboard.publicUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

describe('A caller with Basic keys (RFC 7617)', () => {
  it('acts for its organization', async () => {
    const { client } = switchboard;
    expect(await ask({ authorization: client.authorization })).toMatchObject({
      status: 200,
      body: { data: { organization: { id: String(client.keys.organizationId), name: 'Acme' } } },
    });
  });

  it('may write the scheme in any case (RFC 9110 11.1)', async () => {
    const token = switchboard.client.authorization.slice('Basic '.length);
    for (const scheme of ['basic', 'BASIC', 'Basic '])
      expect(await ask({ authorization: `${scheme} ${token}` })).toMatchObject({ status: 200 });
  });
});

describe('A caller with other credentials gets 401, UNAUTHENTICATED and a challenge (RFC 9110 11.6.1)', () => {
  it.each<[string, () => Record<string, string>]>([
    ['no header', () => ({})],
    ['an empty header', () => ({ authorization: '' })],
    ['a wrong secret', () => ({ authorization: basic(`${switchboard.client.keys.publicKey}:wrong`) })],
    [
      'a secret that goes on',
      () => ({ authorization: basic(`${switchboard.client.keys.publicKey}:${switchboard.client.keys.secretKey}x`) }),
    ],
    ['an empty secret', () => ({ authorization: basic(`${switchboard.client.keys.publicKey}:`) })],
    ['no colon', () => ({ authorization: basic(switchboard.client.keys.publicKey) })],
    ['an unknown public key', () => ({ authorization: basic(`pk_unknown:${switchboard.client.keys.secretKey}`) })],
    ['nothing in it', () => ({ authorization: basic(':') })],
    ['a NUL in the public key', () => ({ authorization: basic('pk_\u0000:secret') })],
    ['bytes that are not UTF-8', () => ({ authorization: basic(Buffer.from([0xff, 0xfe, 0x3a, 0xff])) })],
    ['no base64', () => ({ authorization: 'Basic ***' })],
    ['no credentials', () => ({ authorization: 'Basic' })],
    ['an unknown scheme', () => ({ authorization: 'Digest username="x"' })],
    ['an unknown bearer token', () => ({ authorization: 'Bearer abcdef' })],
    ['8 kB of something', () => ({ authorization: basic('x'.repeat(6_000)) })],
  ])('%s', async (_what, headers) => {
    const { status, headers: answered, body } = await ask(headers());
    expect(status).toBe(401);
    expect(answered.get('www-authenticate')).toMatch(/^\w+ realm="switchboard"/);
    expect(answered.get('content-type')).toMatch(/^application\/(json|graphql-response\+json); charset=utf-8$/);
    expect(body.data).toBeUndefined();
    expect(body.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(body.errors[0].message).toContain('Authorization: Basic base64(publicKey:secretKey)');
    expect(JSON.stringify(body)).not.toMatch(/stack|node_modules|select/);
  });

  it('but may read the schema, which is public', async () => {
    expect(await ask({}, '{ __schema { queryType { name } } __typename }')).toMatchObject({
      status: 200,
      body: { data: { __schema: { queryType: { name: 'Query' } }, __typename: 'Query' } },
    });
  });

  it('and no other field together with it', async () => {
    expect(await ask({}, '{ __typename organization { id } }')).toMatchObject({ status: 401 });
    expect(await ask({}, '{ __typename ... on Query { organization { id } } }')).toMatchObject({ status: 401 });
    expect(await ask({}, 'query { ...All } fragment All on Query { organization { id } }')).toMatchObject({ status: 401 });
  });
});

describe('An API key', () => {
  const newKey = async (scopes?: ('manage' | 'publish' | 'read')[]) => {
    const em = switchboard.database.em();
    const key = await addApiKey({ em }, { organizationId: switchboard.client.keys.organizationId as number, scopes });
    return { key, client: new GraphQLClient(switchboard.client.url, key) };
  };

  it('stops working at once when it is revoked, while others still work', async () => {
    const { key, client } = await newKey();
    expect(await client.send('{ organization { id } }')).toMatchObject({ status: 200 });
    expect(await endApiKey({ database: switchboard.database }, key.publicKey)).toBe(true);
    expect(await client.send('{ organization { id } }')).toMatchObject({ status: 401 });
    expect(await switchboard.client.send('{ organization { id } }')).toMatchObject({ status: 200 });
    expect(await endApiKey({ database: switchboard.database }, key.publicKey)).toBe(false);
  });

  it('is stored as a hash', async () => {
    const { key } = await newKey();
    const [row] = await switchboard.sql('select * from api_keys where public_key = ?', [key.publicKey]);
    expect(row.secret_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(row)).not.toContain(key.secretKey.slice(0, 12));
  });

  it('may do what its scopes allow; else it gets FORBIDDEN with 403', async () => {
    const { client } = await newKey(['read']);
    expect(await client.send('{ organization { id } klaviyoApp { sandbox } connections { totalCount } }')).toMatchObject({
      status: 200,
    });
    const mutations = [
      'createConnection(input: { type: KLAVIYO }) { connection { id } }',
      'updateConnection(input: { id: "1" }) { connection { id } }',
      'deleteConnection(input: { id: "1" }) { deletedId }',
      'startAuthorization(input: { connectionId: "1" }) { expiresAt }',
      'revokeAuthorization(input: { connectionId: "1" }) { connection { id } }',
    ];
    for (const mutation of mutations) {
      const { status, errors } = await client.send(`mutation { ${mutation} }`);
      expect(status).toBe(403);
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' }, message: expect.stringContaining('"manage"') }]);
    }
    const publisher = await newKey(['publish']);
    expect(await publisher.client.send('{ organization { id } }')).toMatchObject({ status: 403 });
  });
});
