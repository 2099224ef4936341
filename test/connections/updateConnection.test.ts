import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';
import {
  createConnection,
  createWebhook,
  deleteConnection,
  findConnection,
  updateConnection,
} from './support/connectionCalls.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const update = (input: object) => updateConnection(switchboard.client, input);
async function secretsOf(id: string) {
  const [{ auth_config }] = await switchboard.sql('select auth_config from connections where id = ?', [id]);
  return auth_config && JSON.parse(testCipher.decrypt(auth_config, columnIdentity.authConfig(Number(id))));
}

describe('updateConnection changes the given fields only', () => {
  it('of a webhook, part by part', async () => {
    const extraHeaders = [{ name: 'X-A', value: '1' }];
    const { id, createdAt } = await createWebhook(
      switchboard.client,
      { authType: 'BASIC', authConfig: { username: 'me', password: 'old' }, extraHeaders },
      'Name',
    );
    const before = await findConnection(switchboard.client, id);

    const { connection: renamed } = await update({ id, name: 'Other' });
    expect(renamed).toEqual({ ...before, name: 'Other', updatedAt: expect.any(String) });
    expect(Date.parse(renamed.updatedAt)).toBeGreaterThanOrEqual(Date.parse(createdAt));

    const { connection: moved } = await update({ id, webhook: { url: 'https://example.com/new' } });
    expect(moved.configuration).toEqual({ url: 'https://example.com/new', authType: 'BASIC', extraHeaders });
    expect(await secretsOf(id)).toEqual({ username: 'me', password: 'old' });

    await update({ id, webhook: { authConfig: { password: 'new' } } });
    expect(await secretsOf(id)).toEqual({ username: 'me', password: 'new' });

    const { connection: without } = await update({ id, webhook: { extraHeaders: [] } });
    expect(without.configuration).toEqual({ url: 'https://example.com/new', authType: 'BASIC', extraHeaders: [] });
    expect(await secretsOf(id)).toEqual({ username: 'me', password: 'new' });

    for (const name of [null, '', '  ']) {
      await update({ id, name: 'Again' });
      expect(await update({ id, name })).toMatchObject({ connection: { name: null } });
    }
  });

  it.each([
    ['scheme', 'http://example.com/hooks'],
    ['host', 'https://example.com.evil.example/hooks'],
    ['port', 'https://example.com:8443/hooks'],
  ])('but a URL of another %s needs secrets and extra headers again, so that the old ones never reach it', async (_what, url) => {
    const { id } = await createWebhook(switchboard.client, {
      ...{ authType: 'BASIC', authConfig: { username: 'me', password: 'old' } },
      extraHeaders: [{ name: 'X-Key', value: 'secret' }],
    });
    const before = await findConnection(switchboard.client, id);
    const asked = (...paths: string[][]) => ({
      connection: null,
      userErrors: paths.map((path) => ({ code: 'REQUIRED', path: ['webhook', ...path] })),
    });
    const [username, password, extraHeaders] = [['authConfig', 'username'], ['authConfig', 'password'], ['extraHeaders']];
    expect(await update({ id, webhook: { url } })).toMatchObject(asked(username, password, extraHeaders));
    expect(await update({ id, webhook: { url, authConfig: { username: 'me' }, extraHeaders: [] } })).toMatchObject(
      asked(password),
    );
    expect(await update({ id, webhook: { url, authType: 'NONE' } })).toMatchObject(asked(extraHeaders));
    expect(await findConnection(switchboard.client, id)).toEqual(before);
    expect(await secretsOf(id)).toEqual({ username: 'me', password: 'old' });

    const { connection } = await update({
      id,
      webhook: { url, authConfig: { username: 'me', password: 'new' }, extraHeaders: [] },
    });
    expect(connection.configuration).toEqual({ url, authType: 'BASIC', extraHeaders: [] });
    expect(await secretsOf(id)).toEqual({ username: 'me', password: 'new' });
  });

  it('but another kind of authentication requires its own secrets, and removes the old ones', async () => {
    const { id } = await createWebhook(switchboard.client, { authType: 'BEARER', authConfig: { token: 'secret' } });
    expect(await update({ id, webhook: { authType: 'API_KEY', authConfig: { headerName: 'X-K' } } })).toMatchObject({
      connection: null,
      userErrors: [{ code: 'REQUIRED', path: ['webhook', 'authConfig', 'apiKey'] }],
    });
    expect(await secretsOf(id)).toEqual({ token: 'secret' });
    await update({ id, webhook: { authType: 'API_KEY', authConfig: { headerName: 'X-K', apiKey: 'k' } } });
    expect(await secretsOf(id)).toEqual({ headerName: 'X-K', apiKey: 'k' });
    await update({ id, webhook: { authType: 'NONE' } });
    expect(await secretsOf(id)).toBeNull();
  });

  it('of Klaviyo: scopes take effect at the next authorization', async () => {
    const { connection } = await createConnection(switchboard.client, { type: 'KLAVIYO', name: 'Shop' });
    expect(await update({ id: connection.id, klaviyo: { scopes: ['lists:read'] } })).toMatchObject({
      connection: {
        name: 'Shop',
        status: 'PENDING_AUTHORIZATION',
        configuration: { requestedScopes: ['accounts:read', 'lists:read'] },
      },
    });
    expect(await update({ id: connection.id, klaviyo: {} })).toMatchObject({
      connection: { configuration: { requestedScopes: ['accounts:read', 'lists:read'] } },
    });
  });
});

describe('updateConnection changes nothing when any part of the input is invalid:', () => {
  it.each<[string, object, string, string[]]>([
    ['a bad URL beside a good name', { name: 'New', webhook: { url: 'http://127.0.0.1.nip/#x' } }, 'INVALID', ['webhook', 'url']],
    ['the configuration of another type', { klaviyo: { scopes: [] } }, 'INVALID', ['klaviyo']],
    ['secrets that do not belong', { webhook: { authConfig: { token: 't' } } }, 'INVALID', ['webhook', 'authConfig', 'token']],
    ['a name that is too long', { name: 'x'.repeat(201), webhook: { url: 'https://example.net/' } }, 'INVALID', ['name']],
  ])('%s', async (_what, changes, code, path) => {
    const { id } = await createWebhook(switchboard.client, {}, 'Old');
    const before = await findConnection(switchboard.client, id);
    expect(await update({ id, ...changes })).toMatchObject({ connection: null, userErrors: [{ code, path }] });
    expect(await findConnection(switchboard.client, id)).toEqual(before);
  });

  it('the type cannot be changed at all', async () => {
    const { id } = await createWebhook(switchboard.client);
    const { status, errors } = await switchboard.client.send(
      'mutation ($id: ID!) { updateConnection(input: { id: $id, type: KLAVIYO }) { connection { id } } }',
      { id },
    );
    expect([status, errors?.[0].extensions.code]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('deleteConnection', () => {
  it('deletes once; afterwards the connection is not found', async () => {
    const { id } = await createWebhook(switchboard.client);
    expect(await deleteConnection(switchboard.client, id)).toEqual({ deletedId: id, userErrors: [] });
    expect(await findConnection(switchboard.client, id)).toBeNull();
    const gone = { code: 'NOT_FOUND', message: 'There is no such connection.', path: ['id'] };
    expect(await deleteConnection(switchboard.client, id)).toEqual({ deletedId: null, userErrors: [gone] });
    expect(await update({ id, name: 'x' })).toEqual({ connection: null, userErrors: [gone] });
  });

  it('called twenty times at once deletes once', async () => {
    const { id } = await createWebhook(switchboard.client);
    const payloads = await Promise.all(Array.from({ length: 20 }, () => deleteConnection(switchboard.client, id)));
    expect(payloads.filter(({ deletedId }) => deletedId === id)).toHaveLength(1);
  });
});
