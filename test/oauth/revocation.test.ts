import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Jobs } from '../../src/database/Jobs.js';
import { createRevocations } from '../../src/oauth/revokeAuthorization.js';
import { decideAuthorization, newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo, createKlaviyoConnection, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { recordLog } from '../support/recordLog.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const revoke = async (connectionId: string) =>
  (
    await switchboard.client.query(
      `mutation ($id: ID!) {
        revokeAuthorization(input: { connectionId: $id }) { connection { id status statusReason statusReasonCode } userErrors { code message path } }
      }`,
      { id: connectionId },
    )
  ).revokeAuthorization;
const isInstalled = (accountId: string) =>
  switchboard.sandbox?.klaviyo.installations().some(({ account }) => account.id === accountId);

describe('revokeAuthorization (RFC 7009)', () => {
  it('erases the tokens at once and revokes them at Klaviyo in the background', async () => {
    const account = newAccount(switchboard);
    const id = await connectKlaviyo(switchboard.client, account.id);
    expect(isInstalled(account.id)).toBe(true);
    switchboard.sandbox?.klaviyo.resetCounters();
    expect(await revoke(id)).toEqual({
      connection: {
        ...{ id, status: 'PENDING_AUTHORIZATION' },
        ...{ statusReason: 'The authorization was revoked.', statusReasonCode: 'AUTHORIZATION_REVOKED' },
      },
      userErrors: [],
    });
    expect(
      await switchboard.sql('select access_token, refresh_token, account_id from credentials where connection_id = ?', [id]),
    ).toEqual([{ access_token: null, refresh_token: null, account_id: account.id }]);
    expect(await seeConnection(switchboard.client, id)).toMatchObject({
      configuration: { grantedScopes: [], missingScopes: [], accessTokenExpiresAt: null, account: { id: account.id } },
      authorization: { status: 'COMPLETED' },
    });
    await eventually(() => expect(isInstalled(account.id)).toBe(false));
    expect(switchboard.sandbox?.klaviyo.counters).toMatchObject({ revocationRequests: 1, revocations: 1 });
  });

  it('encrypts the token in its job as well', async () => {
    const id = await connectKlaviyo(switchboard.client, newAccount(switchboard).id);
    await revoke(id);
    const jobs = await switchboard.sql("select data from pgboss.job where name = 'revoke-grant'");
    expect(jobs.length).toBeGreaterThan(0);
    for (const { data } of jobs) {
      expect(Object.keys(data).sort()).toEqual(['accountId', 'encryptedToken', 'hint', 'provider']);
      expect(data.encryptedToken).toMatch(/^v1\.test\./);
    }
  });

  it('lists the tokens of waiting jobs, and none of finished ones', async () => {
    const { database, sandbox } = switchboard;
    const { log } = recordLog();
    const jobs = new Jobs(database, log);
    await jobs.start();
    onTestFinished(() => jobs.close());
    const { waitingCiphertexts } = createRevocations({ database, jobs, cipher: testCipher, providers: new Map(), log });
    await eventually(async () => expect(await waitingCiphertexts()).toEqual([]));
    const fault = sandbox?.klaviyo.inject({ kind: 'server_error', target: 'revoke' });
    await revoke(await connectKlaviyo(switchboard.client, newAccount(switchboard).id));
    expect(await waitingCiphertexts()).toEqual([expect.stringMatching(/^v1\.test\./)]);
    sandbox?.klaviyo.clearFaults(fault?.id);
    await eventually(async () => {
      await switchboard.sql("update pgboss.job set start_after = now() where name = 'revoke-grant' and state = 'retry'");
      expect(await waitingCiphertexts()).toEqual([]);
    });
  });

  it('leaves the grant of another connection on the same account alone', async () => {
    const account = newAccount(switchboard);
    const [one, two] = [
      await connectKlaviyo(switchboard.client, account.id),
      await connectKlaviyo((await switchboard.anotherOrganization()) as never, account.id),
    ];
    const requests = switchboard.sandbox?.klaviyo.counters.revocationRequests;
    await revoke(one);
    await eventually(async () =>
      expect(await switchboard.sql("select 1 from pgboss.job where name = 'revoke-grant' and state <> 'completed'")).toEqual([]),
    );
    expect(isInstalled(account.id)).toBe(true);
    expect(switchboard.sandbox?.klaviyo.counters.revocationRequests).toBe(requests);
    expect(await switchboard.sql('select status from connections where id in (?, ?) order by id', [one, two])).toEqual([
      { status: 'pending_authorization' },
      { status: 'active' },
    ]);
  });

  it('supersedes a pending authorization', async () => {
    const account = newAccount(switchboard);
    const id = await connectKlaviyo(switchboard.client, account.id);
    const decided = await decideAuthorization(switchboard, { connectionId: id, account });
    await revoke(id);
    expect(await openCallback(decided.callback)).toMatchObject({ status: 410 });
    expect(await seeConnection(switchboard.client, id)).toMatchObject({ status: 'PENDING_AUTHORIZATION' });
  });

  it('can be repeated, and called before any authorization', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    for (const _time of ['first', 'again']) expect(await revoke(id)).toMatchObject({ connection: { id }, userErrors: [] });
  });

  it("is refused for a webhook, and for another organization's connection", async () => {
    const { createConnection } = await switchboard.client.query(
      'mutation { createConnection(input: { type: WEBHOOK, webhook: { url: "https://example.com/" } }) { connection { id } } }',
    );
    expect(await revoke(createConnection.connection.id)).toMatchObject({
      connection: null,
      userErrors: [{ code: 'INVALID', path: ['connectionId'] }],
    });
    expect(await revoke('999999')).toMatchObject({
      connection: null,
      userErrors: [{ code: 'NOT_FOUND', path: ['connectionId'] }],
    });
  });
});
