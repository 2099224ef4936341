import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attempt, approvedAttempt, newAccount } from '../support/approvedAttempt.js';
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

async function linked(): Promise<Attempt> {
  const attempt = await approvedAttempt(switchboard);
  expect(await openCallback(attempt.callback)).toMatchObject({ status: 200 });
  return attempt;
}

describe.concurrent('Authorizing again', () => {
  it('keeps the connection and its id, and takes the new tokens', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const again = await approvedAttempt(switchboard, { connectionId, account });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200 });
    const after = await credentialOf(connectionId);
    expect(after).toMatchObject({ account_id: account.id, version: before.version + 1 });
    expect(after.access_token).not.toBe(before.access_token);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ id: connectionId, status: 'ACTIVE' });
    expect(isInstalled(account.id)).toBe(true);
  });

  it('asks for the scopes that were set meanwhile', async () => {
    const { connectionId, account } = await linked();
    await switchboard.client.query(
      `mutation ($id: ID!) { updateConnection(input: { id: $id, klaviyo: { scopes: ["profiles:write"] } }) { userErrors { code } } }`,
      { id: connectionId },
    );
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      configuration: { missingScopes: ['profiles:write'] },
    });
    const again = await approvedAttempt(switchboard, { connectionId, account });
    expect(again.authorizationUrl.searchParams.get('scope')).toBe('accounts:read profiles:write');
    await openCallback(again.callback);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      configuration: { grantedScopes: ['accounts:read', 'profiles:write'], missingScopes: [] },
    });
  });

  it.each<[string, (attempt: Attempt) => Promise<unknown>, object]>([
    ['was denied', () => Promise.resolve(), { status: 'DENIED' }],
    [
      'failed',
      ({ callback }) => openCallback(withParameters(callback, { code: 'wrong', error: undefined })),
      { status: 'FAILED' },
    ],
  ])('that %s takes nothing away from an ACTIVE connection', async (how, spoil, authorization) => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const decision = how === 'was denied' ? 'deny' : 'allow';
    const again = await approvedAttempt(switchboard, { connectionId, account, decision });
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
  it('is a failed attempt (account_mismatch): the connection stays as it was, the other grant is handed back', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const other = newAccount(switchboard);
    const again = await approvedAttempt(switchboard, { connectionId, account: other });
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
    // Not at once: the merchant may be about to choose this account again, on purpose.
    expect(isInstalled(other.id)).toBe(true);
    await endWait(other.id);
    await eventually(() => expect(isInstalled(other.id)).toBe(false));
    expect(isInstalled(account.id)).toBe(true);
  });

  it('that another connection lives on does not cost that one its grant', async () => {
    const { connectionId } = await linked();
    const other = newAccount(switchboard);
    await connectKlaviyo(switchboard.client, other.id);
    const again = await approvedAttempt(switchboard, { connectionId, account: other });
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

  it('works with allowAccountChange, and the grant of the account before is handed back', async () => {
    const { connectionId, account } = await linked();
    const other = newAccount(switchboard);
    const again = await approvedAttempt(switchboard, { connectionId, account: other, input: { allowAccountChange: true } });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200, text: expect.stringContaining(other.name) });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      id: connectionId,
      status: 'ACTIVE',
      configuration: { account: other },
    });
    await eventually(() => expect(isInstalled(account.id)).toBe(false));
    expect(isInstalled(other.id)).toBe(true);
  });

  it('is noticed after a revocation, too: the connection remembers whose it was', async () => {
    const { connectionId } = await linked();
    await switchboard.client.query(
      'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }',
      { id: connectionId },
    );
    const again = await approvedAttempt(switchboard, { connectionId });
    expect(await openCallback(again.callback)).toMatchObject({ status: 409 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'FAILED', errorCode: 'ACCOUNT_MISMATCH' },
    });
  });
});

/** As if the minute were over that a refused grant is kept. */
const endWait = (accountId: string) =>
  switchboard.sql("update pgboss.job set start_after = now() where name = 'revoke-grant' and data->>'accountId' = ?", [
    accountId,
  ]);

describe('Authorizing again when Klaviyo does not say all', () => {
  it('without a new refresh token keeps the one in hand', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    switchboard.sandbox?.klaviyo.inject({ kind: 'omit_refresh_token', count: 1 });
    await openCallback((await approvedAttempt(switchboard, { connectionId, account })).callback);
    expect((await credentialOf(connectionId)).refresh_token).toBe(before.refresh_token);
  });

  it('with an account that it does not name: it is not taken for the same one', async () => {
    const { connectionId, account } = await linked();
    const before = await credentialOf(connectionId);
    const again = await approvedAttempt(switchboard, { connectionId, account });
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
