import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvedAttempt } from '../support/approvedAttempt.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
let patient: TestSwitchboard;
beforeAll(async () => {
  [switchboard, patient] = await Promise.all([startSwitchboard(), startSwitchboard()]);
});
afterAll(() => Promise.all([switchboard.close(), patient.close()]));

/** Opens the callback a few times at once, as an impatient merchant does. */
async function waitTogether({ client }: TestSwitchboard, callback: URL, connectionId: string) {
  const started = Date.now();
  const opening = [openCallback(callback), openCallback(callback)];
  const meanwhile = await seeConnection(client, connectionId);
  const pages = await Promise.all(opening);
  return { pages, meanwhile, ms: Date.now() - started };
}

describe.concurrent('A token endpoint that takes longer than ten seconds', () => {
  it('is not waited for: the attempt is FAILED, for everybody who waited', async () => {
    const { callback, connectionId } = await approvedAttempt(patient);
    patient.sandbox?.klaviyo.inject({ kind: 'hang', target: 'token', count: 1 });
    const { pages, meanwhile, ms } = await waitTogether(patient, callback, connectionId);
    expect(ms).toBeGreaterThan(9_900);
    expect(ms).toBeLessThan(12_500);
    expect(meanwhile).toMatchObject({ status: 'PENDING_AUTHORIZATION', authorization: { status: 'PENDING' } });
    for (const { status, text } of pages) {
      expect({ status, text }).toEqual({ status: 504, text: expect.stringContaining('Please try again in a few minutes') });
    }
    expect(await seeConnection(patient.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The last authorization failed (provider_timeout).',
      authorization: { status: 'FAILED', errorCode: 'provider_timeout', errorDescription: 'Klaviyo did not answer in time.' },
    });
  });
});

describe.concurrent('A token endpoint that is not there', () => {
  it('fails the attempt at once', async () => {
    const gone = await startLinkedSwitchboard({
      environmentFor: () => ({
        KLAVIYO_CLIENT_ID: 'id',
        KLAVIYO_CLIENT_SECRET: 'secret',
        KLAVIYO_AUTHORIZE_URL: 'http://127.0.0.1:9/oauth/authorize',
        KLAVIYO_API_URL: 'http://127.0.0.1:9',
      }),
    });
    try {
      const { client } = gone;
      const { createConnection } = await client.query(
        'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } } }',
      );
      const { id } = createConnection.connection;
      const { startAuthorization } = await client.query(
        'mutation ($input: StartAuthorizationInput!) { startAuthorization(input: $input) { authorizationUrl } }',
        { input: { connectionId: id } },
      );
      const state = new URL(startAuthorization.authorizationUrl).searchParams.get('state');
      const page = await openCallback(`${gone.publicUrl}/oauth/klaviyo/callback?code=abc&state=${state}`);
      expect(page).toMatchObject({ status: 502, text: expect.stringContaining('Please try again in a few minutes') });
      expect(page.text).not.toContain('SANDBOX');
      expect(await seeConnection(client, id)).toMatchObject({
        authorization: { status: 'FAILED', errorCode: 'provider_unavailable' },
      });
    } finally {
      await gone.close();
    }
  });
});

describe.concurrent('A slow exchange', () => {
  it('that still arrives is a success for everybody who waited, with one exchange', async () => {
    const { callback, connectionId, account } = await approvedAttempt(switchboard);
    switchboard.sandbox?.klaviyo.resetCounters();
    switchboard.sandbox?.klaviyo.inject({ kind: 'slow', target: 'token', seconds: 1, count: 1 });
    const { pages } = await waitTogether(switchboard, callback, connectionId);
    for (const { status, text } of pages) {
      expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining(`${account.name} is connected`) });
    }
    expect(switchboard.sandbox?.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1 });
  });
});
