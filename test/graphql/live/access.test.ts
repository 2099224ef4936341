import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection } from '../../support/webhookFlow.js';
import { LiveClient } from './support/LiveClient.js';

const WATCH = 'subscription { connectionUpdated { id } }';
const RENAME =
  'mutation ($id: ID!, $name: String!) { updateConnection(input: { id: $id, name: $name }) { userErrors { code } } }';

let switchboard: TestSwitchboard;
let other: TestSwitchboard;
const open: LiveClient[] = [];
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', CORS_ORIGINS: 'https://app.example.com' });
  other = await startSwitchboard({ ROLE: 'api' }, switchboard.testDatabase);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  await other.close();
  await switchboard.close();
});

function live(parameters: Record<string, unknown>, options?: { retryAttempts?: number }): LiveClient {
  const client = new LiveClient(`${switchboard.publicUrl}/graphql`, parameters, options);
  open.push(client);
  return client;
}

const watched = () => eventually(async () => expect(await switchboard.sql('select 1 from live_watchers')).not.toEqual([]));

/** Sends an upgrade request with these headers. Returns the status of the response, 101 when it was accepted. */
function upgrade(headers: Record<string, string>, path = '/graphql'): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${switchboard.publicUrl.replace('http', 'ws')}${path}`, 'graphql-transport-ws', { headers });
    socket.on('open', () => {
      socket.close();
      resolve({ status: 101, body: '' });
    });
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    socket.on('error', () => {});
  });
}

describe('A websocket needs credentials', () => {
  it.each([
    ['none', {}],
    ['a wrong secret', { Authorization: `Basic ${Buffer.from('pub_wrong:sec_wrong').toString('base64')}` }],
    ['an unknown token', { authorization: 'Bearer nobody-has-this' }],
    ['no header at all', { Authorization: 'who cares' }],
    ['a number', { Authorization: 1 }],
  ])('%s: it is closed with 4401', async (_case, parameters) => {
    const client = live(parameters);
    await client.watch(WATCH).ended;
    expect(client.closes).toEqual([4401]);
  });

  it('accepts keys and access tokens in the payload of connection_init, under a name in any case', async () => {
    const { authorization } = switchboard.client;
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'api' }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    for (const parameters of [{ Authorization: authorization }, { authorization: `Bearer ${token}` }]) {
      const asked = live(parameters).watch('{ organization { name } }');
      expect(await asked.ended).toBe('complete');
      expect(asked.seen).toEqual([{ data: { organization: { name: 'Acme' } } }]);
    }
  });

  it('lets a key without the scope "read" watch nothing', async () => {
    const { createApiKey } = await switchboard.client.query(
      'mutation { createApiKey(input: { name: "publisher", scopes: [PUBLISH] }) { apiKey { publicKey } secretKey } }',
    );
    const keys = `${createApiKey.apiKey.publicKey}:${createApiKey.secretKey}`;
    const { seen, ended } = live({ Authorization: `Basic ${Buffer.from(keys).toString('base64')}` }).watch(WATCH);
    const end = (await ended) as unknown;
    const errors = (Array.isArray(end) ? end : seen[0].errors) as { extensions: object }[];
    expect(errors[0]?.extensions).toEqual({ code: 'FORBIDDEN' });
  });

  it('sends nothing more once its key was revoked in another process, and closes', async () => {
    const { createApiKey } = await switchboard.client.query(
      'mutation { createApiKey(input: { name: "frontend", scopes: [READ] }) { apiKey { id publicKey } secretKey } }',
    );
    const keys = `${createApiKey.apiKey.publicKey}:${createApiKey.secretKey}`;
    const client = live({ Authorization: `Basic ${Buffer.from(keys).toString('base64')}` });
    const id = await createWebhookConnection(switchboard.client);
    const { seen, ended } = client.watch(WATCH);
    await watched();
    await switchboard.client.query(RENAME, { id, name: 'before' });
    await eventually(() => expect(seen).toHaveLength(1));

    const elsewhere = `mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { userErrors { code } } }`;
    await fetch(`${other.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: switchboard.client.authorization },
      body: JSON.stringify({ query: elsewhere, variables: { id: createApiKey.apiKey.id } }),
    });
    // Checked credentials are valid for a second without another check.
    await sleep(1_100);
    await switchboard.client.query(RENAME, { id, name: 'after' });
    await ended;
    expect(seen).toHaveLength(1);
    expect(client.closes).toEqual([4401]);
  });
});

describe('A page of another origin', () => {
  it.each([
    ['a stranger', 'https://evil.example', 403],
    ['null', 'null', 403],
    ['an allowed frontend', 'https://app.example.com', 101],
  ])('%s', async (_case, origin, status) => {
    const answer = await upgrade({ origin });
    expect(answer.status).toBe(status);
    if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('counts as ours when it comes from the same host', async () => {
    expect(await upgrade({ origin: switchboard.publicUrl })).toMatchObject({ status: 101 });
    expect(await upgrade({ origin: switchboard.publicUrl.replace('localhost', '127.0.0.1') })).toMatchObject({ status: 403 });
  });
});

describe('A subscription by POST', () => {
  it('is refused with the address of the websocket', async () => {
    const { status, errors } = await switchboard.client.send(WATCH);
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0].message).toContain('graphql-transport-ws');
  });
});

describe('When updates may have been missed', () => {
  it('the socket is closed with 1013, and a client that reconnects continues', async () => {
    const client = live({ Authorization: switchboard.client.authorization }, { retryAttempts: 20 });
    const { seen } = client.watch(WATCH);
    await watched();
    await switchboard.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'switchboard-listener' and datname = current_database()",
    );
    await eventually(() => expect(client.closes).toContain(1013));
    const id = await createWebhookConnection(switchboard.client);
    let name = 0;
    await eventually(async () => {
      name += 1;
      await switchboard.client.query(RENAME, { id, name: `name ${name}` });
      await sleep(100);
      expect(seen.at(-1)).toEqual({ data: { connectionUpdated: { id } } });
    });
  });

  it('and a server that stops closes with 1012 without waiting for clients', async () => {
    const stopping = await startSwitchboard({ ROLE: 'api' }, switchboard.testDatabase);
    const client = new LiveClient(`${stopping.publicUrl}/graphql`, { Authorization: stopping.client.authorization });
    open.push(client);
    client.watch(WATCH);
    await eventually(async () =>
      expect(
        await switchboard.sql('select 1 from live_watchers where organization_id = ?', [stopping.client.keys.organizationId]),
      ).toHaveLength(1),
    );
    await stopping.close();
    await eventually(() => expect(client.closes).toHaveLength(1));
    expect([1012, 1013]).toContain(client.closes[0]);
  });
});
