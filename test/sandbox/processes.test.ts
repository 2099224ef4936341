import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { createTestDatabase } from '../support/createTestDatabase.js';
import { connectKlaviyo, createKlaviyoConnection, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { startSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';

async function newDatabase() {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database;
}

const recipient = { email: 'anna@example.com' };

describe('The sandbox of two processes, ROLE=api and ROLE=worker', () => {
  it.each(['the worker', 'the api'])(
    'is one: the worker refreshes and delivers there, whichever starts first: %s',
    async (first) => {
      const shared = await newDatabase();
      const start = (role: string) => startSwitchboard({ ROLE: role }, shared);
      const roles = first === 'the worker' ? ['worker', 'api'] : ['api', 'worker'];
      const servers = [await start(roles[0] as string), await start(roles[1] as string)];
      onTestFinished(async () => {
        for (const server of servers) await server.close();
      });
      const api = servers[roles.indexOf('api')] as (typeof servers)[number];
      const id = await connectKlaviyo(api.client);
      await subscribe(api.client, id);
      // Only the worker can refresh the token now, with the secret of the api's sandbox.
      await api.sql('update credentials set expires_at = now(), refresh_leased_until = null');
      await waitForDelivery(api.client, await publish(api.client, { recipient }), 'DELIVERED');
      expect(api.sandbox?.klaviyo.counters).toMatchObject({ refreshes: 1 });
      expect(api.sandbox?.klaviyo.eventTotals('SbX001')).toMatchObject({ recorded: 1 });
      expect(await seeConnection(api.client, id)).toMatchObject({ status: 'ACTIVE' });
    },
  );
});

describe('The sandbox with SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET and SANDBOX_REDIRECT_URIS', () => {
  it('uses them for Switchboard and for another app, and earlier grants stay valid', async () => {
    const shared = await newDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-app-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const before = await startSwitchboard({ DATA_DIR: folder }, shared);
    const id = await connectKlaviyo(before.client);
    await before.close();

    const app = { SANDBOX_CLIENT_ID: 'my-app', SANDBOX_CLIENT_SECRET: 'my-secret' };
    const redirectUri = 'http://localhost:3000/callback';
    const server = await startSwitchboard(
      { ...app, SANDBOX_REDIRECT_URIS: redirectUri, DATA_DIR: folder, PORT: new URL(before.publicUrl).port },
      shared,
    );
    onTestFinished(() => server.close());
    await server.sql('update credentials set expires_at = now(), refresh_leased_until = null');
    await subscribe(before.client, id);
    await waitForDelivery(before.client, await publish(before.client, { recipient }), 'DELIVERED');
    expect(server.sandbox?.klaviyo.counters).toMatchObject({ refreshes: 1 });

    const link = await startKlaviyoAuthorization(before.client, await createKlaviyoConnection(before.client));
    expect(link.searchParams.get('client_id')).toBe('my-app');
    link.searchParams.set('redirect_uri', redirectUri);
    expect((await fetch(link)).status).toBe(200);
  });
});

describe('With DATABASE_URL and neither KLAVIYO_CLIENT_ID nor SANDBOX=on', () => {
  it('no sandbox is served, webhooks work, and Klaviyo is reported as not configured', async () => {
    const port = await findFreePort();
    const server = await startSwitchboard({ SANDBOX: 'off', PORT: String(port) });
    onTestFinished(() => server.close());
    for (const path of ['/klaviyo', '/klaviyo/control', '/inbox', '/klaviyo/oauth/authorize']) {
      expect((await fetch(`${server.publicUrl}/sandbox${path}`)).status).toBe(404);
    }
    const { createConnection } = await server.client.query(
      'mutation { createConnection(input: { type: KLAVIYO }) { connection { id } userErrors { code message path } } }',
    );
    expect(createConnection).toEqual({
      connection: null,
      userErrors: [{ code: 'INVALID', message: expect.stringContaining('KLAVIYO_CLIENT_ID'), path: ['type'] }],
    });
    await createWebhookConnection(server.client);
    expect(await (await fetch(`${server.publicUrl}/health/ready`)).json()).toMatchObject({ status: 'ok' });
  });

  it('a connection from before waits, and says that the operator must act', async () => {
    const shared = await newDatabase();
    const before = await startSwitchboard({}, shared);
    const { client } = before;
    const id = await connectKlaviyo(client);
    const pending = await createKlaviyoConnection(client);
    await subscribe(client, id);
    await before.sql('update credentials set expires_at = now(), refresh_leased_until = null');
    await before.close();
    const server = await startSwitchboard({ SANDBOX: 'off', PORT: new URL(before.publicUrl).port }, shared);
    onTestFinished(() => server.close());
    const event = await publish(client, { recipient });
    const problem = async () =>
      (await client.query('query ($id: ID!) { connection(id: $id) { problem } }', { id })).connection.problem;
    await expect.poll(problem, { timeout: 8_000 }).toContain('klaviyo is not set up on this server');
    expect(await waitForDelivery(client, event, 'PENDING')).toMatchObject({ attempts: [] });
    const { startAuthorization } = await client.query(
      'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id }) { userErrors { code message } } }',
      { id: pending },
    );
    expect(startAuthorization.userErrors).toEqual([
      { code: 'INVALID', message: 'The provider klaviyo is not set up on this server: its operator has to do that.' },
    ]);
  });
});
