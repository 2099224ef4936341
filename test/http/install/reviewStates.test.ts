import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectKlaviyo, decideAtKlaviyo, seeConnection, startKlaviyoAuthorization } from '../../support/klaviyoFlow.js';
import { openCallback } from '../../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { publish, subscribe, waitForDelivery } from '../../support/webhookFlow.js';

// The cases that a review for Klaviyo's app listing tries. Each begins at the installation URL.
const FRONTEND = 'https://app.example.com/connect-klaviyo';
let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ INSTALL_URL: FRONTEND });
});
afterAll(() => switchboard.close());

/**
 * Follows the redirect from Klaviyo to the frontend, which knows the signed-in merchant and calls the API. Returns the
 * install.
 */
async function beginAtKlaviyo(): Promise<string> {
  const answer = await fetch(`${switchboard.publicUrl}/oauth/klaviyo/install`, { redirect: 'manual' });
  expect(answer.status).toBe(303);
  const location = new URL(answer.headers.get('location') as string);
  expect(location.origin + location.pathname).toBe(FRONTEND);
  return location.searchParams.get('install') as string;
}

function addAccount(name: string): string {
  const account = switchboard.sandbox?.klaviyo.addAccount({ name });
  if (!account) throw new Error('There is no sandbox');
  return account.id;
}

async function authorize(connectionId: string, account: string, input: object = {}) {
  return openCallback(
    await decideAtKlaviyo(await startKlaviyoAuthorization(switchboard.client, connectionId, input), 'allow', account),
  );
}

it('A merchant who is not signed in gets to the frontend, and connects from there', async () => {
  const install = await beginAtKlaviyo();
  const { claimInstall } = await switchboard.client.query(
    `mutation ($install: String!) { claimInstall(input: { install: $install }) { connection { id } authorizationUrl userErrors { code } } }`,
    { install },
  );
  const page = await openCallback(await decideAtKlaviyo(new URL(claimInstall.authorizationUrl), 'allow', addAccount('New shop')));
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('New shop') });
  expect(await seeConnection(switchboard.client, claimInstall.connection.id)).toMatchObject({ status: 'ACTIVE' });
});

it('A connected merchant keeps the same connection', async () => {
  const account = addAccount('Connected shop');
  const id = await connectKlaviyo(switchboard.client, account);
  await beginAtKlaviyo();
  expect(await authorize(id, account)).toMatchObject({ status: 200, text: expect.stringContaining('Connected shop') });
  expect(await seeConnection(switchboard.client, id)).toMatchObject({
    status: 'ACTIVE',
    configuration: { account: { id: account } },
  });
});

it('A merchant who is connected to another account keeps it, and can change it on purpose', async () => {
  const [before, after] = [addAccount('First shop'), addAccount('Second shop')];
  const id = await connectKlaviyo(switchboard.client, before);
  await beginAtKlaviyo();
  const page = await authorize(id, after);
  expect(page).toMatchObject({ status: 409, text: expect.stringContaining('Second shop') });
  expect(await seeConnection(switchboard.client, id)).toMatchObject({
    ...{ status: 'ACTIVE', configuration: { account: { id: before } } },
    authorization: { status: 'FAILED', errorCode: 'ACCOUNT_MISMATCH' },
  });
  expect(await authorize(id, after, { allowAccountChange: true })).toMatchObject({ status: 200 });
  expect(await seeConnection(switchboard.client, id)).toMatchObject({
    status: 'ACTIVE',
    configuration: { account: { id: after } },
  });
});

it('A merchant who uninstalled the app at Klaviyo and comes back gets the events that were held meanwhile', async () => {
  const account = addAccount('Returning shop');
  const id = await connectKlaviyo(switchboard.client, account);
  await subscribe(switchboard.client, id);
  switchboard.sandbox?.klaviyo.uninstall(account);
  const event = await publish(switchboard.client, { recipient: { email: 'anna@example.com' } });
  await waitForDelivery(switchboard.client, event, 'HELD');
  expect(await seeConnection(switchboard.client, id)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });

  await beginAtKlaviyo();
  expect(await authorize(id, account)).toMatchObject({ status: 200 });
  await waitForDelivery(switchboard.client, event, 'DELIVERED');
  expect(switchboard.sandbox?.klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 0 });
});
