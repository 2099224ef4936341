import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKlaviyoConnection, decideAtKlaviyo, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

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

    const page = await fetch(await decideAtKlaviyo(authorizationUrl));
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Sandbox Store is connected');
    expect(await seeConnection(client, id)).toMatchObject({
      status: 'ACTIVE',
      statusReason: null,
      configuration: {
        requestedScopes: ['accounts:read', 'events:write'],
        grantedScopes: ['accounts:read', 'events:write'],
        missingScopes: [],
        account: { id: 'SbX001', name: 'Sandbox Store' },
      },
      authorization: { status: 'COMPLETED', errorCode: null },
    });
  });

  it('and says no: a page of its own, and the reason stays readable', async () => {
    const { client } = switchboard;
    const id = await createKlaviyoConnection(client);
    const page = await fetch(await decideAtKlaviyo(await startKlaviyoAuthorization(client, id), 'deny'));
    expect(await page.text()).toContain('Access was denied');
    expect(await seeConnection(client, id)).toMatchObject({
      status: 'PENDING_AUTHORIZATION',
      statusReason: 'The last authorization was denied.',
      authorization: { status: 'DENIED', errorCode: 'access_denied' },
    });
  });

  it('fifty callbacks at once with one state: one exchange, fifty good answers', async () => {
    const { client, sandbox } = switchboard;
    const id = await createKlaviyoConnection(client);
    const callback = await decideAtKlaviyo(await startKlaviyoAuthorization(client, id));
    sandbox?.klaviyo.resetCounters();
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(callback)).text()));
    expect(sandbox?.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1, codeReplays: 0 });
    expect(new Set(answers)).toHaveLength(1);
    expect(answers[0]).toContain('Sandbox Store is connected');
  });
});
