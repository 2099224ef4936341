import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvedAttempt } from '../support/approvedAttempt.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/** What a process leaves behind that dies between taking the state and storing the tokens. */
async function interruptedAttempt(secondsAgo: number) {
  const attempt = await approvedAttempt(switchboard);
  await switchboard.sql('update authorizations set consumed_at = now() - make_interval(secs => ?) where connection_id = ?', [
    secondsAgo,
    attempt.connectionId,
  ]);
  return attempt;
}

const INTERRUPTED = { status: 'FAILED', errorCode: 'INTERRUPTED', errorDescription: expect.stringContaining('stopped') };

describe('A server that dies in the middle of an exchange', () => {
  it('leaves an attempt that is FAILED a minute later, for whoever asks', async () => {
    const { connectionId } = await interruptedAttempt(61);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: INTERRUPTED });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The last authorization failed: The server was stopped on the way. Connect again.',
    });
  });

  it('and for the merchant who loads the page again: it never exchanges a second time', async () => {
    const { callback, connectionId } = await interruptedAttempt(61);
    const before = switchboard.sandbox?.klaviyo.counters.tokenRequests;
    const { status, text } = await openCallback(callback);
    expect({ status, text }).toEqual({ status: 500, text: expect.stringContaining('Go back to the app and connect again') });
    expect(switchboard.sandbox?.klaviyo.counters.tokenRequests).toBe(before);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: INTERRUPTED });
  });

  it('does not keep the connection from being authorized again', async () => {
    const { connectionId, account, callback } = await interruptedAttempt(5);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ authorization: { status: 'PENDING' } });
    const again = await approvedAttempt(switchboard, { connectionId, account });
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
