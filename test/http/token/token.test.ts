import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey, endApiKey } from '../../../src/access/apiKeys.js';
import type { ApiKeyScope } from '../../../src/domain/ApiKey.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { askWithToken, basic, postForm } from './support/tokenCalls.js';

let switchboard: TestSwitchboard;
let second: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  second = await startSwitchboard({}, switchboard.testDatabase);
});
afterAll(async () => {
  await second.close();
  await switchboard.close();
});

const GRANT = { grant_type: 'client_credentials', scope: 'api' };
const request = (form: object | string, headers: Record<string, string> = {}, path = '/oauth2/token') =>
  postForm(`${switchboard.publicUrl}${path}`, form, { authorization: switchboard.client.authorization, ...headers });

function newKey(options: { scopes?: ApiKeyScope[]; oauthOnly?: boolean } = {}) {
  const organizationId = switchboard.client.keys.organizationId as number;
  return addApiKey({ em: switchboard.database.em() }, { organizationId, ...options });
}

describe('POST /oauth2/token (RFC 6749 4.4)', () => {
  it('issues an access token for client credentials', async () => {
    const { status, headers, body } = await request(GRANT);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^at_[\w-]{43}$/),
      expires_in: 3599,
      scope: 'api',
      token_type: 'bearer',
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect((await askWithToken(switchboard, body.access_token)).body.data.organization.name).toBe('Acme');
    expect((await askWithToken(second, body.access_token)).body.data.organization.name).toBe('Acme');
  });

  it('also with a slash at the end of the path, without a scope, and with an explicit client_id', async () => {
    expect(await request(GRANT, {}, '/oauth2/token/')).toMatchObject({ status: 200 });
    expect(await request({ grant_type: 'client_credentials' })).toMatchObject({ status: 200, body: { scope: 'api' } });
    expect(await request({ ...GRANT, client_id: switchboard.client.keys.publicKey })).toMatchObject({ status: 200 });
  });

  it('accepts keys in the body (client_secret_post), for issuing and revoking', async () => {
    const { publicKey, secretKey } = await newKey({ oauthOnly: true });
    const credentials = { client_id: publicKey, client_secret: secretKey };
    const { status, body } = await request({ ...GRANT, ...credentials }, { authorization: '' });
    expect(status).toBe(200);
    expect((await askWithToken(switchboard, body.access_token)).status).toBe(200);
    const revoked = await request({ token: body.access_token, ...credentials }, { authorization: '' }, '/oauth2/revoke');
    expect(revoked.status).toBe(200);
    expect((await askWithToken(switchboard, body.access_token)).status).toBe(401);
  });

  it('describes itself (RFC 8414), also at the path of OpenID Connect', async () => {
    const describe = async (name: string) => (await fetch(`${switchboard.publicUrl}/.well-known/${name}`)).json();
    const metadata = await describe('oauth-authorization-server');
    expect(metadata).toMatchObject({
      issuer: switchboard.publicUrl,
      token_endpoint: `${switchboard.publicUrl}/oauth2/token`,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      revocation_endpoint: `${switchboard.publicUrl}/oauth2/revoke`,
      grant_types_supported: ['client_credentials'],
      scopes_supported: ['api', 'manage', 'publish', 'read'],
    });
    expect(await describe('openid-configuration')).toEqual(metadata);
  });

  it('stores only the hash of a token', async () => {
    const { body } = await request(GRANT);
    const rows = JSON.stringify(await switchboard.sql('select * from access_tokens'));
    expect(rows).not.toContain(body.access_token.slice(3, 20));
    expect(rows).toMatch(/"token_hash":"[0-9a-f]{64}"/);
  });

  it('works with a client that is not ours (oauth4webapi), from discovery on', async () => {
    const issuer = new URL(switchboard.publicUrl);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const discovery = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovery);
    const { publicKey, secretKey } = await newKey();
    const client = { client_id: publicKey };
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(secretKey),
      { scope: 'api' },
      insecure,
    );
    const tokens = await oauth.processClientCredentialsResponse(server, client, answer);
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 3599, scope: 'api' });
    expect((await askWithToken(switchboard, tokens.access_token)).status).toBe(200);

    const revoked = await oauth.revocationRequest(
      server,
      client,
      oauth.ClientSecretBasic(secretKey),
      tokens.access_token,
      insecure,
    );
    await oauth.processRevocationResponse(revoked);
    expect((await askWithToken(switchboard, tokens.access_token)).status).toBe(401);

    const refused = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic('wrong'), {}, insecure);
    await expect(oauth.processClientCredentialsResponse(server, client, refused)).rejects.toMatchObject({ status: 401 });
  });
});

describe('Errors of the token endpoint (RFC 6749 5.2)', () => {
  it.each<[string, () => Promise<{ status: number; body: unknown }>, number, string]>([
    ['no grant type', () => request({ scope: 'api' }), 400, 'invalid_request'],
    ['an empty grant type', () => request('grant_type=&scope=api'), 400, 'invalid_request'],
    ['a parameter twice', () => request('grant_type=client_credentials&scope=api&scope=api'), 400, 'invalid_request'],
    ['JSON instead of a form', () => request('{}', { 'content-type': 'application/json' }), 400, 'invalid_request'],
    ['two kinds of client authentication', () => request({ ...GRANT, client_secret: 'x' }), 400, 'invalid_request'],
    [
      'a secret without its client_id',
      () => request({ ...GRANT, client_secret: 'x' }, { authorization: '' }),
      400,
      'invalid_request',
    ],
    ['another client_id', () => request({ ...GRANT, client_id: 'pk_other' }), 400, 'invalid_request'],
    ['another grant', () => request({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
    ['an unknown scope', () => request({ ...GRANT, scope: 'everything' }), 400, 'invalid_scope'],
    ['no credentials', () => request(GRANT, { authorization: '' }), 401, 'invalid_client'],
    [
      'a wrong secret',
      () => request(GRANT, { authorization: basic(switchboard.client.keys.publicKey, 'no') }),
      401,
      'invalid_client',
    ],
    ['unknown keys', () => request(GRANT, { authorization: basic('pk_unknown', 'sk_unknown') }), 401, 'invalid_client'],
    ['a body of 20 kB', () => request({ ...GRANT, filler: 'x'.repeat(20_000) }), 413, 'invalid_request'],
  ])('%s', async (_what, send, status, error) => {
    const answer = await send();
    expect(answer).toMatchObject({
      status,
      body: { error, error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/) },
    });
    const { headers } = answer as unknown as { headers: Headers };
    expect(headers.get('cache-control')).toBe('no-store');
    if (status === 401) expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  });

  it('a wrong secret in the body, without a challenge to use the header', async () => {
    const wrong = { ...GRANT, client_id: switchboard.client.keys.publicKey, client_secret: 'sk_wrong' };
    const { status, headers, body } = await request(wrong, { authorization: '' });
    expect({ status, body }).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(headers.has('www-authenticate')).toBe(false);
    expect(JSON.stringify(body)).not.toContain('sk_wrong');
  });

  it('any other method: 405 with Allow', async () => {
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST');
  });
});

describe('An access token', () => {
  const tokenOf = async (keys: { publicKey: string; secretKey: string }, scope = 'api') => {
    const { body } = await request({ ...GRANT, scope }, { authorization: basic(keys.publicKey, keys.secretKey) });
    return body.access_token as string;
  };

  it('ends at once in every process when its key is revoked', async () => {
    const keys = await newKey();
    const token = await tokenOf(keys);
    expect((await askWithToken(second, token)).status).toBe(200);
    await endApiKey({ database: switchboard.database }, keys.publicKey);
    for (const process of [switchboard, second]) {
      const { status, headers } = await askWithToken(process, token);
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="switchboard", error="invalid_token"');
    }
  });

  it('ends at once in every process when it is revoked (RFC 7009), by its own key only', async () => {
    const keys = await newKey();
    const token = await tokenOf(keys);
    const stranger = await switchboard.anotherOrganization();
    const revoke = (authorization: string, form: object = { token, token_type_hint: 'access_token' }) =>
      request(form, { authorization }, '/oauth2/revoke');
    expect(await revoke(stranger.authorization)).toMatchObject({ status: 200 });
    expect((await askWithToken(second, token)).status).toBe(200);
    expect(await revoke(basic(keys.publicKey, keys.secretKey))).toMatchObject({ status: 200 });
    expect((await askWithToken(second, token)).status).toBe(401);
    expect(await revoke(basic(keys.publicKey, keys.secretKey))).toMatchObject({ status: 200 });
    expect(await revoke(basic(keys.publicKey, keys.secretKey), { token: 'never was' })).toMatchObject({ status: 200 });
    expect(await revoke(basic(keys.publicKey, keys.secretKey), {})).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
    expect(await revoke(basic(keys.publicKey, 'wrong'))).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('expires', async () => {
    const token = await tokenOf(await newKey());
    await switchboard.sql("update access_tokens set expires_at = now() - interval '1 second'");
    expect((await askWithToken(switchboard, token)).status).toBe(401);
  });

  it('can have fewer scopes than its key, never more', async () => {
    const keys = await newKey({ scopes: ['manage', 'read'] });
    const reader = await tokenOf(keys, 'read');
    expect((await askWithToken(switchboard, reader)).status).toBe(200);
    const { status, headers } = await askWithToken(
      switchboard,
      reader,
      'mutation { deleteConnection(input: { id: "1" }) { deletedId } }',
    );
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="switchboard", error="insufficient_scope", scope="manage"');
    const refused = await request({ ...GRANT, scope: 'publish' }, { authorization: basic(keys.publicKey, keys.secretKey) });
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });
});

describe('A key for OAuth only', () => {
  it('gets tokens, but cannot call the API itself', async () => {
    const keys = await newKey({ oauthOnly: true });
    const authorization = basic(keys.publicKey, keys.secretKey);
    const direct = await switchboard.client.send('{ organization { id } }', {}, { authorization });
    expect(direct.status).toBe(401);
    expect(direct.errors?.[0].message).toContain('POST /oauth2/token');
    const { body } = await request(GRANT, { authorization });
    expect((await askWithToken(switchboard, body.access_token)).status).toBe(200);
  });
});

describe('The time of last use', () => {
  it('is stored once a minute', async () => {
    const keys = await newKey();
    const authorization = basic(keys.publicKey, keys.secretKey);
    const lastUse = async () =>
      (await switchboard.sql('select last_used_at from api_keys where public_key = ?', [keys.publicKey]))[0].last_used_at;
    expect(await lastUse()).toBeNull();
    await request(GRANT, { authorization });
    const first = await lastUse();
    expect(first).not.toBeNull();
    await request(GRANT, { authorization });
    expect(await lastUse()).toEqual(first);
    await switchboard.sql("update api_keys set last_used_at = last_used_at - interval '61 seconds' where public_key = ?", [
      keys.publicKey,
    ]);
    await request(GRANT, { authorization });
    expect(new Date(await lastUse()).getTime()).toBeGreaterThanOrEqual(new Date(first).getTime());
  });
});
