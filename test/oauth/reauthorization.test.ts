import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecidedAuthorization, decideAuthorization, newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const credentialOf = async (id: string) => (await switchboard.sql('select * from credentials where connection_id = ?', [id]))[0];
const isInstalled = (accountId: string) =>
  switchboard.sandbox?.klaviyo.installations().some(({ account }) => account.id === accountId);

async function linked(): Promise<DecidedAuthorization> {
  const decided = await decideAuthorization(switchboard);
  expect(await openCallback(decided.callback)).toMatchObject({ status: 200 });
  return decided;
}

describe.concurrent('Authorizing again', () => {
  it('keeps the connection and its id, and stores the new tokens', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const again = await decideAuthorization(switchboard, { connectionId, account });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200 });
    const after = await credentialOf(connectionId);
    expect(after).toMatchObject({ account_id: account.id, version: before.version + 1 });
    expect(after.access_token).not.toBe(before.access_token);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ id: connectionId, status: 'ACTIVE' });
    expect(isInstalled(account.id)).toBe(true);
  });

  it('requests the scopes that were configured meanwhile', async () => {
    const { connectionId, account } = await linked();
    await switchboard.client.query(
      `mutation ($id: ID!) { updateConnection(input: { id: $id, klaviyo: { scopes: ["profiles:write"] } }) { userErrors { code } } }`,
      { id: connectionId },
    );
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      configuration: { missingScopes: ['profiles:write'] },
    });
    const again = await decideAuthorization(switchboard, { connectionId, account });
    expect(again.authorizationUrl.searchParams.get('scope')).toBe('accounts:read profiles:write');
    await openCallback(again.callback);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      configuration: { grantedScopes: ['accounts:read', 'profiles:write'], missingScopes: [] },
    });
  });

  it.each<[string, (decided: DecidedAuthorization) => Promise<unknown>, object]>([
    ['was denied', () => Promise.resolve(), { status: 'DENIED' }],
    [
      'failed',
      ({ callback }) => openCallback(withParameters(callback, { code: 'wrong', error: undefined })),
      { status: 'FAILED' },
    ],
  ])('that %s leaves an ACTIVE connection unchanged', async (how, spoil, authorization) => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const decision = how === 'was denied' ? 'deny' : 'allow';
    const again = await decideAuthorization(switchboard, { connectionId, account, decision });
    await spoil(again);
    await openCallback(again.callback);
    expect(await credentialOf(connectionId)).toEqual(before);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      authorization,
    });
  });
});

describe.concurrent('Authorizing again with another Klaviyo account', () => {
  it('fails with account_mismatch: the connection stays unchanged, and the other grant is revoked', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const other = newAccount(switchboard);
    const again = await decideAuthorization(switchboard, { connectionId, account: other });
    const page = await openCallback(again.callback);
    expect(page.status).toBe(409);
    expect(page.text).toContain('This is another Klaviyo account');
    expect(page.text).toContain('left as it was');
    expect(await credentialOf(connectionId)).toEqual(before);
    const seen = await seeConnection(switchboard.client, connectionId);
    expect(seen).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      configuration: { account: { id: account.id } },
      authorization: { status: 'FAILED', errorCode: 'ACCOUNT_MISMATCH' },
    });
    for (const name of [account.name, other.name]) expect(seen.authorization.errorDescription).toContain(name);
    // The revocation waits, because the merchant may choose this account again on purpose.
    expect(isInstalled(other.id)).toBe(true);
    await endWait(other.id);
    await eventually(() => expect(isInstalled(other.id)).toBe(false));
    expect(isInstalled(account.id)).toBe(true);
  });

  it('that another connection uses does not cost that connection its grant', async () => {
    const { connectionId } = await linked();
    const other = newAccount(switchboard);
    await connectKlaviyo(switchboard.client, other.id);
    const again = await decideAuthorization(switchboard, { connectionId, account: other });
    expect(await openCallback(again.callback)).toMatchObject({ status: 409 });
    await endWait(other.id);
    await eventually(async () =>
      expect(
        await switchboard.sql("select state::text from pgboss.job where name = 'revoke-grant' and data->>'accountId' = ?", [
          other.id,
        ]),
      ).toEqual([{ state: 'completed' }]),
    );
    expect(isInstalled(other.id)).toBe(true);
  });

  it("works with allowAccountChange, and the previous account's grant is revoked", async () => {
    const { connectionId, account } = await linked();
    const other = newAccount(switchboard);
    const again = await decideAuthorization(switchboard, { connectionId, account: other, input: { allowAccountChange: true } });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200, text: expect.stringContaining(other.name) });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      id: connectionId,
      status: 'ACTIVE',
      configuration: { account: other },
    });
    await eventually(() => expect(isInstalled(account.id)).toBe(false));
    expect(isInstalled(other.id)).toBe(true);
  });

  it('is detected after a revocation, too: the connection keeps its account', async () => {
    const { connectionId } = await linked();
    await switchboard.client.query(
      'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }',
      { id: connectionId },
    );
    const again = await decideAuthorization(switchboard, { connectionId });
    expect(await openCallback(again.callback)).toMatchObject({ status: 409 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'FAILED', errorCode: 'ACCOUNT_MISMATCH' },
    });
  });
});

/** Ends the minute for which the revocation of a refused grant waits. */
const endWait = (accountId: string) =>
  switchboard.sql("update pgboss.job set start_after = now() where name = 'revoke-grant' and data->>'accountId' = ?", [
    accountId,
  ]);

describe("Authorizing again when Klaviyo's response is incomplete", () => {
  it('without a new refresh token keeps the stored one', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    switchboard.sandbox?.klaviyo.inject({ kind: 'omit_refresh_token', count: 1 });
    await openCallback((await decideAuthorization(switchboard, { connectionId, account })).callback);
    expect((await credentialOf(connectionId)).refresh_token).toBe(before.refresh_token);
  });

  it("without the account's name: it is not taken for the same account", async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const again = await decideAuthorization(switchboard, { connectionId, account });
    switchboard.sandbox?.klaviyo.inject({ kind: 'permission_denied', target: 'api', count: 1 });
    expect(await openCallback(again.callback)).toMatchObject({ status: 502 });
    expect(await credentialOf(connectionId)).toEqual(before);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      authorization: { status: 'FAILED', errorCode: 'ACCOUNT_UNKNOWN' },
    });
    expect(isInstalled(account.id)).toBe(true);
  });
});
