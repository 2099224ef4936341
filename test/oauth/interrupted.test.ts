import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/** Leaves what a process leaves that crashes between taking the state and storing the tokens. */
async function interruptedAuthorization(secondsAgo: number) {
  const decided = await decideAuthorization(switchboard);
  await switchboard.sql('update authorizations set consumed_at = now() - make_interval(secs => ?) where connection_id = ?', [
    secondsAgo,
    decided.connectionId,
  ]);
  return decided;
}

const INTERRUPTED = { status: 'FAILED', errorCode: 'INTERRUPTED', errorDescription: expect.stringContaining('stopped') };

describe('A server that crashes during an exchange', () => {
  it('leaves an authorization that is FAILED a minute later, for every reader', async () => {
    const { connectionId } = await interruptedAuthorization(61);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: INTERRUPTED });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The last authorization failed: The server was stopped on the way. Connect again.',
    });
  });

  it('shows a merchant who reloads the page the failure, and never exchanges the code again', async () => {
    const { callback, connectionId } = await interruptedAuthorization(61);
    const before = switchboard.sandbox?.klaviyo.counters.tokenRequests;
    const { status, text } = await openCallback(callback);
    expect({ status, text }).toEqual({ status: 500, text: expect.stringContaining('Go back to the app and connect again') });
    expect(switchboard.sandbox?.klaviyo.counters.tokenRequests).toBe(before);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: INTERRUPTED });
  });

  it('does not prevent a new authorization of the connection', async () => {
    const { connectionId, account, callback } = await interruptedAuthorization(5);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: { status: 'PENDING' } });
    const again = await decideAuthorization(switchboard, { connectionId, account });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200 });
    await switchboard.sql("update authorizations set consumed_at = now() - interval '61 s' where status = 'pending'");
    expect(await openCallback(callback)).toMatchObject({ status: 500 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      authorization: { status: 'COMPLETED' },
    });
  });
});
