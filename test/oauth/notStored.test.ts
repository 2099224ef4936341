import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  await switchboard.sql('create sequence refusals');
});
afterAll(() => switchboard.close());

const installed = (accountId: string) =>
  switchboard.sandbox?.klaviyo.installations().some(({ account }) => account.id === accountId);

/** Makes Postgres refuse new credentials this many times. */
async function refuseCredentials(times: number): Promise<void> {
  // A sequence keeps its value when a transaction is rolled back.
  await switchboard.sql(`alter sequence refusals restart`);
  await switchboard.sql(`create or replace function refuse() returns trigger language plpgsql as $$ begin
    if nextval('refusals') <= ${times} then raise exception 'no room' using errcode = 'too_many_connections'; end if;
    return new; end $$`);
  await switchboard.sql(
    'create or replace trigger refuse before insert or update on credentials for each row execute function refuse()',
  );
}

describe('A grant that the database refuses to store after a successful exchange', () => {
  it('is stored by a second try, since the code cannot be used again', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    await refuseCredentials(1);
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('is revoked when that fails too, so that the app does not stay installed in vain, and the authorization is FAILED', async () => {
    const { callback, connectionId, account } = await decideAuthorization(switchboard);
    await refuseCredentials(2);
    expect(await openCallback(callback)).toMatchObject({ status: 500 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'FAILED', errorCode: 'INTERNAL_ERROR' },
    });
    await eventually(() => expect(installed(account.id)).toBe(false));
  });

  it('is not revoked when the connection has another grant of the same account', async () => {
    const first = await decideAuthorization(switchboard);
    await refuseCredentials(0);
    expect(await openCallback(first.callback)).toMatchObject({ status: 200 });
    const { connectionId, account } = first;
    const again = await decideAuthorization(switchboard, { connectionId, account });
    await refuseCredentials(2);
    expect(await openCallback(again.callback)).toMatchObject({ status: 500 });
    await eventually(async () =>
      expect(
        await switchboard.sql(
          "select state::text from pgboss.job where name = 'revoke-grant' and data->>'accountId' = ? and state <> 'completed'",
          [account.id],
        ),
      ).toEqual([]),
    );
    expect(installed(account.id)).toBe(true);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });
});
