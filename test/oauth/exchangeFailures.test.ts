import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainOutcome } from '../../src/oauth/explainOutcome.js';
import type { FaultOrder } from '../../src/sandbox/createSandbox.js';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { seeConnection } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

interface Expected {
  status: number;
  errorCode: string;
  /** A part of the page's text. */
  words: string;
  description?: string;
}

async function expectFailure(callback: URL, connectionId: string, { status, errorCode, words, description }: Expected) {
  const page = await openCallback(callback);
  expect({ status: page.status, text: page.text }).toEqual({ status, text: expect.stringContaining(words) });
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.text).not.toMatch(/invalid_|code_challenge|challenge|credentials/i);
  expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({
    status: 'PENDING_AUTHORIZATION',
    statusReason: `The last authorization failed: ${explainOutcome({ status: 'failed', errorCode }, 'Klaviyo')}`,
    statusReasonCode: 'AUTHORIZATION_FAILED',
    configuration: { grantedScopes: [], account: null },
    authorization: {
      status: 'FAILED',
      errorCode: errorCode.toUpperCase(),
      errorDescription: expect.stringContaining(description ?? 'Klaviyo'),
    },
  });
  const rows = await switchboard.sql('select code_verifier from authorizations where connection_id = ?', [connectionId]);
  expect(rows).toEqual([{ code_verifier: null }]);
  expect(await switchboard.sql('select 1 from credentials where connection_id = ?', [connectionId])).toEqual([]);
}

const LATER = 'Please try again in a few minutes';
const unavailable = (description: string): Expected => ({
  status: 502,
  errorCode: 'provider_unavailable',
  words: LATER,
  description,
});

describe('When the token endpoint fails, the authorization is FAILED with the reason, and a new one works:', () => {
  it.each<[string, FaultOrder, Expected]>([
    ['with 500', { kind: 'server_error' }, unavailable('answered 500')],
    ['with 503', { kind: 'unavailable', seconds: 30 }, unavailable('answered 503')],
    ['with HTML and 502', { kind: 'bad_gateway_html' }, unavailable('answered 502')],
    ["with the edge's challenge and 403", { kind: 'edge_challenge' }, unavailable('answered 403')],
    ['with 429', { kind: 'throttle', seconds: 1 }, { status: 503, errorCode: 'rate_limited', words: LATER }],
    ['with 10 MB', { kind: 'big_body' }, unavailable('more than 65536 bytes')],
    ['with a connection that is reset', { kind: 'reset' }, unavailable('could not be reached')],
    ['with a connection that is reset after the work', { kind: 'reset', afterEffect: true }, unavailable('could not be reached')],
    [
      'with 400 invalid_grant (RFC 6749 5.2)',
      { kind: 'invalid_grant' },
      { status: 400, errorCode: 'invalid_grant', words: 'Go back to the app and connect again' },
    ],
    [
      'with 401 invalid_client (RFC 6749 5.2), for which the merchant is not at fault',
      { kind: 'invalid_client' },
      { status: 502, errorCode: 'invalid_client', words: 'It is not your fault', description: "this server's own credentials" },
    ],
  ])('%s', async (_how, fault, expected) => {
    const klaviyo = switchboard.sandbox?.klaviyo;
    const { callback, connectionId, account } = await decideAuthorization(switchboard);
    const before = klaviyo?.counters.tokenRequests ?? 0;
    klaviyo?.inject({ count: fault.kind === 'throttle' ? undefined : 1, ...fault, target: 'token' });
    await expectFailure(callback, connectionId, expected);
    klaviyo?.clearFaults();
    await expectFailure(callback, connectionId, expected);
    // A code works once, so it is exchanged with one request only.
    expect(klaviyo?.counters.tokenRequests).toBe(before + 1);

    const again = await decideAuthorization(switchboard, { connectionId, account });
    expect(await openCallback(again.callback)).toMatchObject({ status: 200 });
    expect(await seeConnection(switchboard.client, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  });

  it('with an invalid or used code', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    await expectFailure(withParameters(callback, { code: 'wrong' }), connectionId, {
      status: 400,
      errorCode: 'invalid_grant',
      words: 'could not be connected',
      description: 'The code is not known',
    });
  });

  it('with the code of another authorization: the PKCE challenge does not match (RFC 7636 4.6)', async () => {
    const one = await decideAuthorization(switchboard);
    const other = await decideAuthorization(switchboard);
    const code = other.callback.searchParams.get('code') ?? '';
    await expectFailure(withParameters(one.callback, { code }), one.connectionId, {
      status: 400,
      errorCode: 'invalid_grant',
      words: 'could not be connected',
      description: 'Code challenge failed',
    });
  });
});

describe('A manipulated verifier in the database', () => {
  it('with a changed ciphertext is never sent, and the authorization is FAILED', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    const before = switchboard.sandbox?.klaviyo.counters.tokenRequests;
    await switchboard.sql(
      `update authorizations set code_verifier = left(code_verifier, -4) || reverse(right(code_verifier, 4)) where connection_id = ?`,
      [connectionId],
    );
    await expectFailure(callback, connectionId, {
      status: 500,
      errorCode: 'internal_error',
      words: 'Something went wrong',
      description: 'The server could not complete',
    });
    expect(switchboard.sandbox?.klaviyo.counters.tokenRequests).toBe(before);
  });

  it('from another authorization does not decrypt in this row', async () => {
    const victim = await decideAuthorization(switchboard);
    const thief = await decideAuthorization(switchboard);
    await switchboard.sql(
      `update authorizations set code_verifier = (select code_verifier from authorizations where connection_id = ?)
       where connection_id = ?`,
      [thief.connectionId, victim.connectionId],
    );
    await expectFailure(victim.callback, victim.connectionId, {
      status: 500,
      errorCode: 'internal_error',
      words: 'Something went wrong',
      description: 'The server could not complete',
    });
  });
});

describe('When the database fails during a callback', () => {
  it('the merchant gets a page with an id and no internals, and the state stays usable', async () => {
    const { callback } = await decideAuthorization(switchboard);
    await switchboard.sql('alter table authorizations rename to elsewhere');
    const page = await openCallback(callback);
    await switchboard.sql('alter table elsewhere rename to authorizations');
    expect(page.status).toBe(500);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.text).toMatch(/Something went wrong on our side.*[0-9a-f]{8}-[0-9a-f]{4}/);
    expect(page.markup).not.toMatch(/authorizations|relation|select/i);
    expect(await openCallback(callback)).toMatchObject({ status: 200 });
  });
});

describe("A provider that refuses this server's own client secret", () => {
  const ready = async () =>
    (await (await fetch(`${switchboard.publicUrl}/health/ready`)).json()) as { status: string; alarms: object[] };
  const alarmed = {
    status: 'degraded',
    alarms: [{ name: 'klaviyo-configuration', message: expect.stringContaining('invalid_client') }],
  };

  it('raises an alarm at the first callback, until a secret is accepted again', async () => {
    const { callback, connectionId, account } = await decideAuthorization(switchboard);
    switchboard.sandbox?.klaviyo.inject({ kind: 'invalid_client', target: 'token', count: 1 });
    expect(await openCallback(callback)).toMatchObject({ status: 502 });
    expect(await ready()).toMatchObject(alarmed);
    await openCallback((await decideAuthorization(switchboard, { connectionId, account })).callback);
    expect(await ready()).toMatchObject({ status: 'ok', alarms: [] });
  });

  it('raises an alarm when a revocation is refused, too', async () => {
    const { callback, connectionId } = await decideAuthorization(switchboard);
    await openCallback(callback);
    switchboard.sandbox?.klaviyo.inject({ kind: 'invalid_client', target: 'revoke', count: 1 });
    await switchboard.client.query(
      'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId userErrors { code } } }',
      { id: connectionId },
    );
    await eventually(async () => expect(await ready()).toMatchObject(alarmed));
    switchboard.sandbox?.klaviyo.clearFaults();
  });
});
