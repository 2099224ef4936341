import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ KLAVIYO_SCOPES: 'accounts:read lists:write' });
});
afterAll(() => switchboard.close());

describe('For an operator, klaviyoApp shows', () => {
  it('the app: client id, redirect URI to allow-list, scopes, and whether it is the sandbox', async () => {
    const { klaviyoApp } = await switchboard.client.query('{ klaviyoApp { clientId redirectUri scopes sandbox } }');
    expect(klaviyoApp).toEqual({
      clientId: 'switchboard-sandbox',
      redirectUri: `${switchboard.publicUrl}/oauth/klaviyo/callback`,
      scopes: ['accounts:read', 'lists:write'],
      sandbox: true,
    });
  });

  it('every scope, with what it is about and what it allows', async () => {
    const { klaviyoScopes } = await switchboard.client.query('{ klaviyoScopes { name resource access required } }');
    expect(klaviyoScopes).toHaveLength(47);
    expect(klaviyoScopes[0]).toEqual({ name: 'accounts:read', resource: 'accounts', access: 'READ', required: true });
    // Scopes of Klaviyo's SDK that its integration guides do not list.
    const names = klaviyoScopes.map(({ name }: { name: string }) => name);
    for (const resource of ['custom-objects', 'forms', 'images', 'reviews', 'templates', 'web-feeds']) {
      expect(names).toEqual(expect.arrayContaining([`${resource}:read`, `${resource}:write`]));
    }
    expect(klaviyoScopes).toContainEqual({ name: 'events:write', resource: 'events', access: 'WRITE', required: false });
  });

  it('the scopes that the operator configured for new connections', async () => {
    const { createConnection } = await switchboard.client.query(
      'mutation { createConnection(input: { type: KLAVIYO }) { connection { configuration { ... on KlaviyoConfiguration { requestedScopes } } } } }',
    );
    expect(createConnection.connection.configuration.requestedScopes).toEqual(['accounts:read', 'lists:write']);
  });
});
