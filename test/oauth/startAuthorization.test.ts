import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKlaviyoConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const START = `mutation ($connectionId: ID!) {
  startAuthorization(input: { connectionId: $connectionId }) {
    authorizationUrl expiresAt authorization { id status scopes expiresAt createdAt completedAt } userErrors { code message path }
  }
}`;
const start = async (connectionId: string, client = switchboard.client) =>
  (await client.query(START, { connectionId })).startAuthorization;

describe('startAuthorization (RFC 6749 4.1.1, RFC 7636 4.3)', () => {
  it('creates a fresh state and a fresh PKCE pair every time, of 256 bits each', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    const urls = [];
    for (let round = 0; round < 3; round += 1) urls.push(await startKlaviyoAuthorization(switchboard.client, id));
    for (const name of ['state', 'code_challenge']) {
      const values = urls.map((url) => url.searchParams.get(name));
      expect(new Set(values)).toHaveLength(3);
      for (const value of values) expect(Buffer.from(value ?? '', 'base64url')).toHaveLength(32);
    }
  });

  it('sends the seven parameters and no others, with scopes separated by one space', async () => {
    const id = await createKlaviyoConnection(switchboard.client, ['profiles:read', 'lists:write', 'profiles:read']);
    const url = await startKlaviyoAuthorization(switchboard.client, id);
    expect([...url.searchParams.keys()]).toEqual([
      'response_type',
      'client_id',
      'redirect_uri',
      'scope',
      'state',
      'code_challenge_method',
      'code_challenge',
    ]);
    expect(url.searchParams.get('scope')).toBe('accounts:read profiles:read lists:write');
    expect(url.search).toContain('scope=accounts%3Aread+profiles%3Aread+lists%3Awrite');
  });

  it('returns the time by which the browser must be back: ten minutes later', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    const { expiresAt, authorization } = await start(id);
    expect(authorization).toMatchObject({
      status: 'PENDING',
      scopes: ['accounts:read', 'events:write'],
      expiresAt,
      completedAt: null,
    });
    expect(Date.parse(expiresAt) - Date.parse(authorization.createdAt)).toBe(600_000);
  });

  it('stores the hash of the state, and the verifier encrypted', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    const url = await startKlaviyoAuthorization(switchboard.client, id);
    const [row] = await switchboard.sql('select * from authorizations where connection_id = ?', [id]);
    expect(row.state_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(row.code_verifier).toMatch(/^v1\.test\.[\w-]+$/);
    expect(JSON.stringify(row)).not.toContain(url.searchParams.get('state'));
  });

  it('is refused for a webhook with a userError', async () => {
    const { createConnection } = await switchboard.client.query(
      'mutation { createConnection(input: { type: WEBHOOK, webhook: { url: "https://example.com/" } }) { connection { id } } }',
    );
    expect(await start(createConnection.connection.id)).toEqual({
      authorizationUrl: null,
      expiresAt: null,
      authorization: null,
      userErrors: [
        {
          code: 'INVALID',
          message: 'A webhook connection needs no authorization: it is ready as it is.',
          path: ['connectionId'],
        },
      ],
    });
  });

  it.each(['0', '-1', 'abc', '', '999999999', '1e3', '9007199254740993', '\u0000'])('finds no connection %j', async (id) => {
    expect(await start(id)).toMatchObject({
      authorizationUrl: null,
      userErrors: [{ code: 'NOT_FOUND', message: 'There is no such connection.', path: ['connectionId'] }],
    });
  });
});
