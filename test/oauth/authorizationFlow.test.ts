import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKlaviyoConnection, decideAtKlaviyo, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

describe('A merchant links Klaviyo', () => {
  it('from creating the connection to seeing it ACTIVE with its account', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    expect(await seeConnection(client, id)).toMatchObject({ status: 'PENDING_AUTHORIZATION', authorization: null });

    const authorizationUrl = await startKlaviyoAuthorization(client, id);
    expect(Object.fromEntries(authorizationUrl.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'switchboard-sandbox',
      redirect_uri: `${switchboard.publicUrl}/oauth/klaviyo/callback`,
      scope: 'accounts:read events:write',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });

    const page = await openCallback(await decideAtKlaviyo(authorizationUrl));
    expect(page.status).toBe(200);
    expect(page.text).toContain('Sandbox Store is connected');
    expect(await seeConnection(client, id)).toMatchObject({
      status: 'ACTIVE',
      ...{ isEnabled: true, statusReason: null, statusReasonCode: null },
      configuration: {
        requestedScopes: ['accounts:read', 'events:write'],
        grantedScopes: ['accounts:read', 'events:write'],
        missingScopes: [],
        account: { id: 'SbX001', name: 'Sandbox Store' },
      },
      authorization: { status: 'COMPLETED', errorCode: null },
    });
  });

  it('and reads that no events arrive until some are subscribed to', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    const callback = await decideAtKlaviyo(await startKlaviyoAuthorization(client, id));
    const before = await openCallback(callback);
    expect(before.text).toContain('No events are sent there yet. Next, go back to the app and choose which events to send.');
    const subscription = await subscribe(client, id);
    expect((await openCallback(callback)).text).toContain('Events will arrive there from now on.');
    await client.query(
      'mutation ($id: ID!) { updateSubscription(input: { id: $id, isActive: false }) { userErrors { code } } }',
      {
        id: subscription,
      },
    );
    expect((await openCallback(callback)).text).toBe(before.text);
  });

  it('and leaves out the scope that sending events needs: page and connection say so, until it is granted', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client, ['accounts:read']);
    await subscribe(client, id);
    const authorizationUrl = await startKlaviyoAuthorization(client, id);
    authorizationUrl.searchParams.set('scope', 'accounts:read');
    const { text } = await openCallback(await decideAtKlaviyo(authorizationUrl));
    expect(text).toContain('But events can not be sent there: the access that you gave does not include it.');
    expect(text).not.toContain('Events will arrive');
    const problem = async () =>
      (await client.query('query ($id: ID!) { connection(id: $id) { problem } }', { id })).connection.problem;
    expect(await problem()).toBe(
      'The grant lacks the scope events:write, so the next event will be held: connect again and allow it.',
    );
    const again = await openCallback(await decideAtKlaviyo(await startKlaviyoAuthorization(client, id)));
    expect(again.text).toContain('Events will arrive there from now on.');
    expect(await problem()).toBeNull();
  });

  it('and denies: the page says so, and the reason can be read afterwards', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    const page = await fetch(await decideAtKlaviyo(await startKlaviyoAuthorization(client, id), 'deny'));
    expect(await page.text()).toContain('Access was denied');
    expect(await seeConnection(client, id)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The last authorization was denied.',
      statusReasonCode: 'AUTHORIZATION_DENIED',
      authorization: { status: 'DENIED', errorCode: 'ACCESS_DENIED' },
    });
  });

  it('with fifty callbacks of one state at once: one exchange, and every page shows the success', async () => {
    const { client, sandbox } = switchboard;
    const id = await createKlaviyoConnection(client);
    const callback = await decideAtKlaviyo(await startKlaviyoAuthorization(client, id));
    sandbox?.klaviyo.resetCounters();
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await openCallback(callback)).markup));
    expect(sandbox?.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1, codeReplays: 0 });
    expect(new Set(answers)).toHaveLength(1);
    expect(answers[0]).toContain('Sandbox Store is connected');
  });
});
