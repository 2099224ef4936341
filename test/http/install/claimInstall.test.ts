import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/createTestDatabase.js';
import { GraphQLClient } from '../../support/GraphQLClient.js';
import { connectKlaviyo, createKlaviyoConnection, decideAtKlaviyo, seeConnection } from '../../support/klaviyoFlow.js';
import { openCallback } from '../../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection } from '../../support/webhookFlow.js';

const APP = 'https://app.example.com';
let shared: TestDatabase;
let one: TestSwitchboard;
let two: TestSwitchboard;
beforeAll(async () => {
  shared = await createTestDatabase();
  one = await startSwitchboard({ ROLE: 'api', RETURN_TO_ORIGINS: APP, INSTALL_URL: `${APP}/install` }, shared);
  two = await startSwitchboard({ ROLE: 'api', RETURN_TO_ORIGINS: APP }, shared);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await shared.drop();
});

/** Follows the redirect from Klaviyo. Returns the install that the frontend gets. */
async function beginAtKlaviyo(): Promise<string> {
  await one.sql("delete from rate_limits where key like 'install:%'");
  const answer = await fetch(`${one.publicUrl}/oauth/klaviyo/install?account=AbC123`, { redirect: 'manual' });
  return new URL(answer.headers.get('location') as string).searchParams.get('install') as string;
}

const CLAIM = `mutation ($input: ClaimInstallInput!) { claimInstall(input: $input) {
  connection { id name type status } authorizationUrl expiresAt authorization { id status } userErrors { code message path }
} }`;
const claim = async (client: GraphQLClient, input: object) => (await client.query(CLAIM, { input })).claimInstall;
const connectionsOf = async ({ keys }: GraphQLClient) =>
  Number((await one.sql('select count(*) from connections where organization_id = ?', [keys.organizationId]))[0].count);

describe('Claiming an install', () => {
  it('creates a connection and starts its authorization, which links the account that the merchant chooses', async () => {
    const client = await one.anotherOrganization();
    const claimed = await claim(client, { install: await beginAtKlaviyo(), name: 'My shop' });
    expect(claimed).toMatchObject({
      ...{ connection: { name: 'My shop', type: 'KLAVIYO', status: 'PENDING_AUTHORIZATION' }, userErrors: [] },
      authorization: { status: 'PENDING' },
    });
    const url = new URL(claimed.authorizationUrl);
    expect(url.searchParams.get('code_challenge_method')).toBe('S256');
    expect(url.searchParams.get('state')).toMatch(/^[\w-]{43}$/);
    const account = one.sandbox?.klaviyo.addAccount({ name: 'Chosen shop' }).id;
    expect(await openCallback(await decideAtKlaviyo(url, 'allow', account))).toMatchObject({ status: 200 });
    expect(await seeConnection(client, claimed.connection.id)).toMatchObject({
      ...{ status: 'ACTIVE', configuration: { account: { id: account } } },
      authorization: { id: claimed.authorization.id, status: 'COMPLETED' },
    });
  });

  it('works with the code that the page shows when there is no frontend', async () => {
    const client = await two.anotherOrganization();
    const page = await (await fetch(`${two.publicUrl}/oauth/klaviyo/install`)).text();
    const [, install] = /<code>([\w-]{43})<\/code>/.exec(page) ?? [];
    // Pasted text has spaces around it.
    expect(await claim(client, { install: ` ${install}\n` })).toMatchObject({
      ...{ connection: { status: 'PENDING_AUTHORIZATION' }, userErrors: [] },
    });
  });

  it('uses an existing connection, in any status', async () => {
    const client = await one.anotherOrganization();
    const pending = await createKlaviyoConnection(client);
    expect(await claim(client, { install: await beginAtKlaviyo(), connectionId: pending })).toMatchObject({
      connection: { id: pending },
    });
    const account = one.sandbox?.klaviyo.addAccount({ name: 'Known shop' }).id as string;
    const active = await connectKlaviyo(client, account);
    const again = await claim(client, { install: await beginAtKlaviyo(), connectionId: active });
    expect(again).toMatchObject({ connection: { id: active, status: 'ACTIVE' } });
    await openCallback(await decideAtKlaviyo(new URL(again.authorizationUrl), 'allow', account));
    expect(await seeConnection(client, active)).toMatchObject({ status: 'ACTIVE', authorization: { status: 'COMPLETED' } });
    expect(await connectionsOf(client)).toBe(2);
  });

  it('passes returnTo and display on to the authorization', async () => {
    const client = await one.anotherOrganization();
    const { status, headers, data } = await client.send(CLAIM, {
      input: { install: await beginAtKlaviyo(), returnTo: `${APP}/back`, display: 'POPUP', bindToBrowser: true },
    });
    expect([status, data.claimInstall.userErrors]).toEqual([200, []]);
    expect(headers.get('set-cookie')).toContain(`switchboard_authorization_${data.claimInstall.authorization.id}=`);
    const [row] = await one.sql('select return_to, display from authorizations where id = ?', [
      data.claimInstall.authorization.id,
    ]);
    expect(row).toEqual({ return_to: `${APP}/back`, display: 'popup' });
  });

  it('again, as by a reloaded page, starts a new authorization of the same connection', async () => {
    const client = await one.anotherOrganization();
    const install = await beginAtKlaviyo();
    const first = await claim(client, { install });
    const second = await claim(client, { install });
    expect(second).toMatchObject({ connection: { id: first.connection.id }, userErrors: [] });
    expect(second.authorization.id).not.toBe(first.authorization.id);
    const [{ status }] = await one.sql('select status from authorizations where id = ?', [first.authorization.id]);
    expect(status).toBe('superseded');
    expect(await claim(client, { install, connectionId: first.connection.id })).toMatchObject({ userErrors: [] });
    expect(await claim(client, { install, connectionId: await createKlaviyoConnection(client) })).toMatchObject({
      ...{ connection: null, authorizationUrl: null },
      userErrors: [{ code: 'CONFLICT', path: ['connectionId'] }],
    });
    // Its connection was deleted, so the claim creates a new one.
    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { userErrors { code } } }', {
      id: first.connection.id,
    });
    expect((await claim(client, { install })).connection.id).not.toBe(first.connection.id);
  });

  it('by many clicks at two servers creates one connection', async () => {
    const client = await one.anotherOrganization();
    const elsewhere = new GraphQLClient(`${two.publicUrl}/graphql`, client.keys);
    const install = await beginAtKlaviyo();
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) => claim(index % 2 ? client : elsewhere, { install })),
    );
    expect(new Set(claims.map(({ connection }) => connection.id)).size).toBe(1);
    expect(await connectionsOf(client)).toBe(1);
    const open = await one.sql("select id from authorizations where connection_id = ? and status = 'pending'", [
      claims[0].connection.id,
    ]);
    expect(open).toHaveLength(1);
  });

  it('by several organizations at once, at two servers, assigns it to exactly one', async () => {
    const install = await beginAtKlaviyo();
    const clients = await Promise.all(
      Array.from({ length: 6 }, (_, index) => (index % 2 ? one : two).anotherOrganization(`Racer ${index}`)),
    );
    const claims = await Promise.all(clients.map((client) => claim(client, { install })));
    expect(claims.filter(({ connection }) => connection !== null)).toHaveLength(1);
    const counts = await Promise.all(clients.map(connectionsOf));
    expect(counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('of another organization fails exactly like an unknown or malformed token', async () => {
    const [client, stranger] = [await one.anotherOrganization(), await one.anotherOrganization()];
    const install = await beginAtKlaviyo();
    await claim(client, { install });
    const answers = [];
    for (const tried of [install, 'A'.repeat(43), '', '\u0000', 'x'.repeat(100_000)]) {
      answers.push(await claim(stranger, { install: tried }));
    }
    expect(answers[0]).toMatchObject({
      ...{ connection: null, authorizationUrl: null, authorization: null },
      userErrors: [{ code: 'NOT_FOUND', path: ['install'] }],
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    // The error is also the same after its expiry.
    await one.sql("update installs set expires_at = now() - interval '1 minute' where organization_id = ?", [
      client.keys.organizationId,
    ]);
    expect(await claim(stranger, { install })).toEqual(answers[0]);
    expect(await connectionsOf(stranger)).toBe(0);
  });

  it('that has expired says so', async () => {
    const client = await one.anotherOrganization();
    const install = await beginAtKlaviyo();
    await one.sql("update installs set expires_at = now() - interval '1 second' where claimed_at is null");
    expect((await claim(client, { install })).userErrors).toMatchObject([
      { code: 'NOT_FOUND', path: ['install'], message: expect.stringContaining('expired') },
    ]);
    expect(await connectionsOf(client)).toBe(0);
  });

  it('with a wrong input changes nothing, and the install can still be claimed', async () => {
    const client = await one.anotherOrganization();
    const install = await beginAtKlaviyo();
    const webhook = await createWebhookConnection(client);
    const mistakes: [object, string, string][] = [
      [{ connectionId: '987654' }, 'NOT_FOUND', 'connectionId'],
      [{ connectionId: webhook }, 'INVALID', 'connectionId'],
      [{ returnTo: 'https://elsewhere.example' }, 'INVALID', 'returnTo'],
      [{ display: 'POPUP' }, 'REQUIRED', 'returnTo'],
      [{ name: 'x'.repeat(201) }, 'INVALID', 'name'],
      [{ connectionId: webhook, name: 'A name' }, 'INVALID', 'name'],
    ];
    for (const [input, code, path] of mistakes) {
      expect((await claim(client, { install, ...input })).userErrors).toMatchObject([{ code, path: [path] }]);
    }
    expect(await connectionsOf(client)).toBe(1);
    // The install is unclaimed, so another organization can still claim it.
    expect(await claim(await one.anotherOrganization(), { install })).toMatchObject({ userErrors: [] });
  });

  it('needs credentials with the scope manage', async () => {
    const answer = await fetch(`${one.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: CLAIM, variables: { input: { install: await beginAtKlaviyo() } } }),
    });
    expect(answer.status).toBe(401);
  });
});
