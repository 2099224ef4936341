import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecidedAuthorization, decideAuthorization } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const deleteConnection = async (client: GraphQLClient, id: string) => {
  const { deleteConnection: payload } = await client.query(
    'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId userErrors { code } } }',
    { id },
  );
  expect(payload).toEqual({ deletedId: id, userErrors: [] });
};

const installed = (accountId: string) =>
  switchboard.sandbox?.klaviyo.installations().some(({ account }) => account.id === accountId);

const revocationJobs = async (where: string): Promise<number> =>
  (await switchboard.sql(`select count(*)::int from pgboss.job where name = 'revoke-grant' and ${where}`))[0].count;

async function expectGrantRevoked({ callback, account }: DecidedAuthorization) {
  await eventually(() => expect(installed(account.id)).toBe(false));
  expect(
    await switchboard.sql("select error_code from authorizations where status = 'failed' and account_name = ?", [account.name]),
  ).toEqual([{ error_code: 'connection_deleted' }]);
  // A repeated callback shows the same page, and changes nothing.
  const again = await openCallback(callback);
  expect(again).toMatchObject({ status: 410, text: expect.stringContaining('The connection is gone') });
}

describe.concurrent('A connection that is deleted', () => {
  it('while the merchant is at Klaviyo: the page says so, and the grant is revoked', async () => {
    const decided = await decideAuthorization(switchboard);
    await deleteConnection(switchboard.client, decided.connectionId);
    const page = await openCallback(decided.callback);
    expect(page.status).toBe(410);
    expect(page.text).toContain('The connection is gone');
    expect(page.text).toContain('is being handed back');
    expect(page.text).toContain('create a new connection');
    expect(await seeConnection(switchboard.client, decided.connectionId)).toBeNull();
    await expectGrantRevoked(decided);
  });

  it('after it was linked: its grant is revoked, and its callback still explains the outcome', async () => {
    const decided = await decideAuthorization(switchboard);
    await openCallback(decided.callback);
    await deleteConnection(switchboard.client, decided.connectionId);
    expect(await switchboard.sql('select 1 from credentials where connection_id = ?', [decided.connectionId])).toEqual([]);
    await eventually(() => expect(installed(decided.account.id)).toBe(false));
    expect(await openCallback(decided.callback)).toMatchObject({ status: 200 });
  });
});

describe('A connection that is deleted while Klaviyo is slow', () => {
  it('during the exchange: the page says so, and the grant is revoked', async () => {
    const decided = await decideAuthorization(switchboard);
    switchboard.sandbox?.klaviyo.inject({ kind: 'slow', target: 'api', seconds: 1, count: 1 });
    const opening = openCallback(decided.callback);
    await eventually(() => expect(installed(decided.account.id)).toBe(true));
    await deleteConnection(switchboard.client, decided.connectionId);
    expect(await opening).toMatchObject({ status: 410, text: expect.stringContaining('The connection is gone') });
    await expectGrantRevoked(decided);
  });

  it('never waits for Klaviyo: a failed revocation is tried again later', async () => {
    const decided = await decideAuthorization(switchboard);
    await openCallback(decided.callback);
    switchboard.sandbox?.klaviyo.inject({ kind: 'server_error', target: 'revoke', count: 1 });
    await deleteConnection(switchboard.client, decided.connectionId);
    await eventually(async () => expect(await revocationJobs("state = 'retry'")).toBe(1));
  });
});

describe('An authorization that is revoked while its code is exchanged', () => {
  it('fails: the connection stays without a grant, and the new grant is revoked', async () => {
    const decided = await decideAuthorization(switchboard);
    switchboard.sandbox?.klaviyo.inject({ kind: 'slow', target: 'api', seconds: 1, count: 1 });
    const opening = openCallback(decided.callback);
    await eventually(() => expect(installed(decided.account.id)).toBe(true));
    const { revokeAuthorization } = await switchboard.client.query(
      'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { connection { status } userErrors { code } } }',
      { id: decided.connectionId },
    );
    expect(revokeAuthorization).toEqual({ connection: { status: 'PENDING_AUTHORIZATION' }, userErrors: [] });
    expect(await opening).toMatchObject({ status: 410 });
    expect(await seeConnection(switchboard.client, decided.connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The authorization was revoked.',
      authorization: { status: 'SUPERSEDED' },
    });
    expect(await switchboard.sql('select 1 from credentials where connection_id = ?', [decided.connectionId])).toEqual([]);
    await eventually(() => expect(installed(decided.account.id)).toBe(false));
    expect(await openCallback(decided.callback)).toMatchObject({ status: 410 });
  });
});

describe('Deleting a connection while its callback arrives', () => {
  it('never deadlocks, and leaves no row and no grant behind', async () => {
    const attempts = await Promise.all(Array.from({ length: 24 }, () => decideAuthorization(switchboard)));
    const jobsBefore = await revocationJobs('true');
    const pages = await Promise.all(
      attempts.map(async ({ callback, connectionId }, index) => {
        const [page] = await Promise.all([
          openCallback(callback),
          new Promise((resolve) => setTimeout(resolve, index * 4)).then(() => deleteConnection(switchboard.client, connectionId)),
        ]);
        return page;
      }),
    );
    // It was completed and then deleted, or deleted and then revoked.
    for (const { status } of pages) expect([200, 410]).toContain(status);
    const ids = attempts.map(({ connectionId }) => Number(connectionId));
    expect(await switchboard.sql(`select 1 from credentials where connection_id in (${ids.join()})`)).toEqual([]);
    expect(await switchboard.sql(`select 1 from connections where id in (${ids.join()})`)).toEqual([]);
    expect(await switchboard.sql("select error_code from authorizations where error_code = 'internal_error'")).toEqual([]);
    expect(await revocationJobs('true')).toBe(jobsBefore + attempts.length);
  });
});
