import { describe, expect, it } from 'vitest';
import { getAccounts, install, postForm, refresh, revoke } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

describe('RFC 7009: revoking', () => {
  it.each(['access_token', 'refresh_token'] as const)(
    'an %s removes the app from the account: all tokens become invalid',
    async (kind) => {
      const { url, klaviyo } = await startSandbox();
      const earlier = await install(url, 'SbX001');
      const tokens = await install(url, 'SbX001');
      const other = await install(url, 'SbX002');
      const response = await revoke(url, tokens[kind], kind);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
      for (const dead of [tokens, earlier]) {
        expect((await getAccounts(url, dead.access_token)).status).toBe(401);
        expect(await (await refresh(url, dead.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' });
      }
      expect((await getAccounts(url, other.access_token)).status).toBe(200);
      expect(klaviyo.counters.revocations).toBe(1);
    },
  );

  it('2.1: a wrong hint does no harm', async () => {
    const { url } = await startSandbox();
    const tokens = await install(url);
    expect((await revoke(url, tokens.refresh_token, 'access_token')).status).toBe(200);
    expect((await getAccounts(url, tokens.access_token)).status).toBe(401);
  });

  it('2.2: an unknown token is already revoked', async () => {
    const { url } = await startSandbox();
    expect((await revoke(url, 'never-was')).status).toBe(200);
  });

  it('refuses a wrong client, a missing token, an unknown hint and JSON', async () => {
    const { url } = await startSandbox();
    const endpoint = `${url}/klaviyo/oauth/revoke`;
    expect((await postForm(endpoint, { token: 'x' }, { authorization: 'Basic eDp5' })).status).toBe(401);
    expect((await postForm(endpoint, {})).status).toBe(400);
    expect((await revoke(url, 'x', 'id_token')).status).toBe(400);
    expect((await postForm(endpoint, { token: 'x' }, { 'content-type': 'application/json' })).status).toBe(400);
  });
});
