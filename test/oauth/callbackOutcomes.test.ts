import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { createKlaviyoConnection, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const counters = () => switchboard.sandbox?.klaviyo.counters;
const authorizationOf = async (id: string) => (await seeConnection(switchboard.client, id)).authorization;
const letItExpire = (connectionId: string) =>
  switchboard.sql("update authorizations set expires_at = now() - interval '1 second' where connection_id = ?", [connectionId]);

describe('An authorization that was not completed within ten minutes', () => {
  it('is EXPIRED even when no browser comes back', async () => {
    const { connectionId } = await decideAuthorization(switchboard);
    await letItExpire(connectionId);
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      authorization: { status: 'EXPIRED', errorCode: 'EXPIRED', errorDescription: expect.stringContaining('ten minutes') },
    });
  });

  it('gets 410 and a page that says how to try again, and its code is never exchanged', async () => {
    const { connectionId, callback } = await decideAuthorization(switchboard);
    await letItExpire(connectionId);
    const before = counters()?.tokenRequests;
    for (const _time of ['first', 'again']) {
      const { status, text } = await openCallback(callback);
      expect(status).toBe(410);
      expect(text).toContain('This took too long');
      expect(text).toContain('Go back to the app and connect again');
    }
    expect(counters()?.tokenRequests).toBe(before);
    expect(await authorizationOf(connectionId)).toMatchObject({ status: 'EXPIRED', errorCode: 'EXPIRED' });
    expect(await switchboard.sql('select code_verifier from authorizations where connection_id = ?', [connectionId])).toEqual([
      { code_verifier: null },
    ]);
  });

  it("is expired by the database's clock", async () => {
    const { connectionId, callback } = await decideAuthorization(switchboard);
    await letItExpire(connectionId);
    // This server's clock is behind: it takes the authorization for pending, and then the database refuses the state.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    const started = performance.now();
    const { status, text } = await openCallback(callback);
    expect({ status, text }).toEqual({ status: 410, text: expect.stringContaining('This took too long') });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('An authorization that was started again', () => {
  it('is SUPERSEDED: its callback gets 410 and points to the newer authorization, which works', async () => {
    const older = await decideAuthorization(switchboard);
    const newer = await decideAuthorization(switchboard, { connectionId: older.connectionId, account: older.account });
    const before = counters()?.tokenRequests;
    const { status, text } = await openCallback(older.callback);
    expect(status).toBe(410);
    expect(text).toContain('There is a newer attempt');
    expect(counters()?.tokenRequests).toBe(before);
    expect(await authorizationOf(older.connectionId)).toMatchObject({ status: 'PENDING' });

    expect(await openCallback(newer.callback)).toMatchObject({ status: 200 });
    expect(await authorizationOf(older.connectionId)).toMatchObject({ status: 'COMPLETED' });
    expect(await openCallback(older.callback)).toMatchObject({ status: 410 });
    expect(
      await switchboard.sql('select status from authorizations where connection_id = ? order by created_at', [
        older.connectionId,
      ]),
    ).toEqual([{ status: 'superseded' }, { status: 'completed' }]);
  });

  it('leaves exactly one authorization pending after ten clicks at once', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    const urls = await Promise.all(Array.from({ length: 10 }, () => startKlaviyoAuthorization(client, id)));
    expect(new Set(urls.map((url) => url.searchParams.get('state')))).toHaveLength(10);
    expect(new Set(urls.map((url) => url.searchParams.get('code_challenge')))).toHaveLength(10);
    const rows = await switchboard.sql('select status, count(*)::int from authorizations where connection_id = ? group by 1', [
      id,
    ]);
    expect(Object.fromEntries(rows.map(({ status, count }) => [status, count]))).toEqual({ pending: 1, superseded: 9 });
    expect(await authorizationOf(id)).toMatchObject({ status: 'PENDING' });
  });
});

describe('A repeated callback', () => {
  it('shows the first success, whatever its parameters, and never exchanges a code', async () => {
    const { callback, account } = await decideAuthorization(switchboard);
    const first = await openCallback(callback);
    const before = { ...counters() };
    const state = callback.searchParams.get('state') as string;
    const others = [callback, withParameters(callback, { code: 'other' }), withParameters(callback, { code: undefined })];
    others.push(new URL(`${callback.origin}${callback.pathname}?state=${state}&error=access_denied`));
    for (const url of others) {
      const { status, text } = await openCallback(url);
      expect({ status, text }).toEqual({ status: 200, text: first.text });
    }
    expect(first.text).toContain(`${account.name} is connected`);
    expect(counters()).toMatchObject({
      tokenRequests: before.tokenRequests,
      codeReplays: 0,
      accountRequests: before.accountRequests,
    });
  });

  it('shows the first denial, even when it has a code', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard, { decision: 'deny' });
    await openCallback(callback);
    const before = counters()?.tokenRequests;
    const { status, text } = await openCallback(withParameters(callback, { error: undefined, code: 'abc' }));
    expect({ status, text }).toEqual({ status: 200, text: expect.stringContaining('Access was denied') });
    expect(counters()?.tokenRequests).toBe(before);
    expect(await authorizationOf(connectionId)).toMatchObject({ status: 'DENIED', errorCode: 'ACCESS_DENIED' });
  });

  it('shows the first failure', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    expect(await openCallback(withParameters(callback, { code: 'wrong' }))).toMatchObject({ status: 400 });
    const before = counters()?.tokenRequests;
    expect(await openCallback(callback)).toMatchObject({ status: 400, text: expect.stringContaining('could not be connected') });
    expect(counters()?.tokenRequests).toBe(before);
    expect(await authorizationOf(connectionId)).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_GRANT' });
  });
});

describe("A request that is not the merchant's visit", () => {
  it.each(['HEAD', 'POST', 'OPTIONS', 'PUT'])('does not use up the state: %s', async (method) => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    const { status } = await openCallback(callback, { method });
    expect(status).toBeGreaterThanOrEqual(method === 'OPTIONS' ? 200 : 400);
    expect(await authorizationOf(connectionId)).toMatchObject({ status: 'PENDING', errorCode: null });
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });
});

describe('Every page of the callback', () => {
  it('is neither stored nor framed nor indexed, loads nothing, and sends no referrer', async () => {
    const pages = await Promise.all([
      decideAuthorization(switchboard).then(({ callback }) => openCallback(callback)),
      decideAuthorization(switchboard, { decision: 'deny' }).then(({ callback }) => openCallback(callback)),
      openCallback(`${switchboard.publicUrl}/oauth/klaviyo/callback?state=unknown`),
    ]);
    for (const { headers, markup } of pages) {
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-robots-tag')).toBe('noindex');
      expect(headers.get('cross-origin-opener-policy')).toBeNull();
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
      );
      expect(markup).not.toMatch(/(src|href)="(?!http:\/\/app)/);
      expect(markup).toContain('SANDBOX');
    }
  });
});
