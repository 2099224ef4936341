import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createKlaviyoConnection, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import type { TestSwitchboard } from '../support/startSwitchboard.js';
import { type ForeignServer, startForeignServer } from './support/startForeignServer.js';

let foreign: ForeignServer;
let switchboard: TestSwitchboard;
beforeAll(async () => {
  // The package prints warnings about settings that a test does not need.
  for (const method of ['info', 'warn'] as const) vi.spyOn(console, method).mockReturnValue();
  foreign = await startForeignServer();
  switchboard = await startLinkedSwitchboard(foreign);
});
afterAll(async () => {
  await switchboard?.close();
  await foreign.close();
  vi.restoreAllMocks();
});

async function approved() {
  const id = await createKlaviyoConnection(switchboard.client);
  return { id, callback: await foreign.approve(await startKlaviyoAuthorization(switchboard.client, id)) };
}

describe('The flow against an OAuth server that is not ours (oidc-provider)', () => {
  it('links: PKCE S256 (RFC 7636), client_secret_basic (RFC 6749 2.3.1), iss (RFC 9207)', async () => {
    const { id, callback } = await approved();
    expect([...callback.searchParams.keys()].sort()).toEqual(['code', 'iss', 'state']);
    expect(await openCallback(callback)).toMatchObject({
      status: 200,
      text: expect.stringContaining('Store of merchant is connected'),
    });
    expect(await seeConnection(switchboard.client, id)).toMatchObject({
      status: 'ACTIVE',
      configuration: {
        grantedScopes: ['accounts:read', 'events:write'],
        missingScopes: [],
        account: { id: 'merchant', name: 'Store of merchant', timezone: 'Europe/Berlin' },
      },
      authorization: { status: 'COMPLETED' },
    });
    const [credential] = await switchboard.sql('select refresh_token from credentials where connection_id = ?', [id]);
    expect(credential.refresh_token).toMatch(/^v1\./);
  });

  it('refuses a response of another issuer, and then accepts the right one', async () => {
    const { callback } = await approved();
    expect(await openCallback(withParameters(callback, { iss: 'https://evil.example' }))).toMatchObject({ status: 400 });
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });

  it('reports a used code as invalid_grant', async () => {
    const one = await approved();
    const two = await approved();
    await openCallback(one.callback);
    const stolen = withParameters(two.callback, { code: one.callback.searchParams.get('code') as string });
    expect(await openCallback(stolen)).toMatchObject({ status: 400 });
    expect(await seeConnection(switchboard.client, two.id)).toMatchObject({
      authorization: { status: 'FAILED', errorCode: 'INVALID_GRANT' },
    });
  });

  it('revokes the grant (RFC 7009)', async () => {
    // All connections here use one account, and only its last connection may revoke.
    await switchboard.sql('update credentials set access_token = null');
    const { id, callback } = await approved();
    await openCallback(callback);
    foreign.requests.length = 0;
    await switchboard.client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id });
    await eventually(() => expect(foreign.requests).toContain('200 /oauth/revoke'));
  });
});
