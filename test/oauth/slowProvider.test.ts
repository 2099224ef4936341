import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorization } from '../../src/domain/Authorization.js';
import { type CallbackOutcome, Exchanges } from '../../src/oauth/completeAuthorization.js';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback, openCallbackOnce } from '../support/openCallback.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
let patient: TestSwitchboard;
let third: TestSwitchboard;
beforeAll(async () => {
  [switchboard, patient, third] = await Promise.all([
    startSwitchboard(),
    startSwitchboard(),
    startSwitchboard({ RETURN_TO_ORIGINS: 'https://app.example.com' }),
  ]);
});
afterAll(() => Promise.all([switchboard.close(), patient.close(), third.close()]));

/** Opens the callback several times at once, like an impatient merchant. */
async function waitTogether({ client }: TestSwitchboard, callback: URL, connectionId: string) {
  const opening = [openCallback(callback), openCallback(callback)];
  const meanwhile = await seeConnection(client, connectionId);
  const pages = await Promise.all(opening);
  return { pages, meanwhile };
}

describe.concurrent('A token endpoint that takes longer than ten seconds', () => {
  it('ends the exchange: the authorization is FAILED, for everyone who waited', async () => {
    const { callback, connectionId } = await decideAuthorization(patient);
    patient.sandbox?.klaviyo.inject({ kind: 'hang', target: 'token', count: 1 });
    const { pages, meanwhile } = await waitTogether(patient, callback, connectionId);
    const [{ seconds }] = await patient.sql(
      'select extract(epoch from completed_at - consumed_at)::float8 as seconds from authorizations where connection_id = ?',
      [connectionId],
    );
    expect(seconds).toBeGreaterThan(9.9);
    expect(seconds).toBeLessThan(12.5);
    expect(meanwhile).toMatchObject({ status: 'PENDING_AUTHORIZATION', authorization: { status: 'PENDING' } });
    for (const { status, text } of pages) {
      expect({ status, text }).toEqual({ status: 504, text: expect.stringContaining('Please try again in a few minutes') });
    }
    expect(await seeConnection(patient.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: expect.stringMatching(
        /^The last authorization failed: Klaviyo has a problem.* Try again in a few minutes\.$/,
      ),
      authorization: { status: 'FAILED', errorCode: 'PROVIDER_TIMEOUT', errorDescription: 'Klaviyo did not answer in time.' },
    });
  });
});

describe.concurrent('A token endpoint that cannot be reached', () => {
  it('fails the authorization at once', async () => {
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
        authorization: { status: 'FAILED', errorCode: 'PROVIDER_UNAVAILABLE' },
      });
    } finally {
      await gone.close();
    }
  });
});

describe.concurrent('A slow exchange', () => {
  it('that succeeds late is a success for everyone who waited, with one exchange', async () => {
    const { callback, connectionId, account } = await decideAuthorization(switchboard);
    switchboard.sandbox?.klaviyo.resetCounters();
    switchboard.sandbox?.klaviyo.inject({ kind: 'slow', target: 'token', seconds: 1, count: 1 });
    const { pages } = await waitTogether(switchboard, callback, connectionId);
    for (const { status, text } of pages) {
      expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining(`${account.name} is connected`) });
    }
    expect(switchboard.sandbox?.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1 });
  });
});

describe('A browser that waits for a slow exchange', () => {
  const klaviyo = () => third.sandbox?.klaviyo;

  it.each([
    ['on a page', {}, 200],
    ['that goes on to the app', { returnTo: 'https://app.example.com/' }, 303],
    ['in a pop-up', { returnTo: 'https://app.example.com/', display: 'POPUP' }, 200],
  ])('%s sees a page that reloads itself until there is an outcome', async (_how, input, status) => {
    const { callback, connectionId, account } = await decideAuthorization(third, { input });
    klaviyo()?.resetCounters();
    klaviyo()?.inject({ kind: 'slow', target: 'token', seconds: 4, count: 1 });
    for (const _who of ['whose request exchanges the code', 'that loads the page again']) {
      const page = await openCallbackOnce(callback);
      expect(page).toMatchObject({ status: 202, text: expect.stringContaining('Almost there') });
      expect(page.headers.get('refresh')).toBe('1');
      expect(page.headers.get('location')).toBeNull();
      expect(page.markup).not.toContain('<script');
      expect(await seeConnection(third.client, connectionId)).toMatchObject({ authorization: { status: 'PENDING' } });
    }
    const last = await openCallback(callback);
    expect(last.status).toBe(status);
    if (status === 303) expect(last.headers.get('location')).toContain('outcome=completed');
    else expect(last.text).toContain(`${account.name} is connected`);
    if ('display' in input) expect(last.markup).toContain('"outcome":"completed"');
    expect(klaviyo()?.counters).toMatchObject({ tokenRequests: 1, exchanges: 1 });
    expect(await seeConnection(third.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('Of the requests that wait for one authorization in a process', () => {
  const authorization = { id: '01890a5d-ac96-774b-bcce-b302099a8057' } as Authorization;

  it('one queries the outcome for all, and a later one queries again', async () => {
    const exchanges = new Exchanges();
    let looks = 0;
    const found = Promise.withResolvers<CallbackOutcome>();
    const look = () => {
      looks += 1;
      return found.promise;
    };
    const waiting = Array.from({ length: 50 }, () => exchanges.outcomeOf(authorization, look));
    found.resolve({ kind: 'in_progress', authorization });
    expect(new Set(await Promise.all(waiting))).toHaveLength(1);
    expect(looks).toBe(1);
    await exchanges.outcomeOf(authorization, look);
    expect(looks).toBe(2);
  });

  it('none queries the outcome while this process exchanges the code', async () => {
    const exchanges = new Exchanges();
    const exchange = Promise.withResolvers<CallbackOutcome>();
    exchanges.add(authorization, exchange.promise);
    const waiting = exchanges.outcomeOf(authorization, () => Promise.reject(new Error('looked')));
    exchange.resolve({ kind: 'completed', authorization });
    expect(await waiting).toEqual({ kind: 'completed', authorization });
  });
});
