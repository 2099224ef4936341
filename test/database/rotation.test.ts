import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Cipher, type EncryptionKey } from '../../src/database/Cipher.js';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { encryptedColumns } from '../../src/database/encryptedColumns.js';
import { swapCiphertexts } from '../../src/database/reencrypt.js';
import { Inbox } from '../delivery/support/Inbox.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { decideAuthorization, newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback } from '../support/openCallback.js';
import { buildServer, runBuiltServer, whenReady } from '../support/startBuiltServer.js';
import { type StandaloneKlaviyo, startKlaviyo } from '../support/startKlaviyo.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { parcelEvent, publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';
import { findCiphertexts } from './support/findCiphertexts.js';

type Server = Awaited<ReturnType<typeof startLinkedSwitchboard>>;

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const keyOf = (entry: string): EncryptionKey => {
  const [id = '', key = ''] = entry.split(':');
  return { id, key: Buffer.from(key, 'base64') };
};
const recipient = { email: 'anna@example.com' };

/** Ciphertexts that are never re-encrypted, because they are deleted with their job or their key. */
const BESIDE = /^(pgboss\.job|public\.encryption_canaries)/;

let klaviyo: StandaloneKlaviyo;
let shared: TestDatabase;
let inbox: Inbox;
let folder: string;
let publicUrl: string;
let keys: GraphQLClient['keys'];
/** Data created under the old key and used under the new one. */
let made: Awaited<ReturnType<typeof makeSecretsOfEveryKind>>;

beforeAll(async () => {
  [klaviyo, shared, inbox, folder] = await Promise.all([startKlaviyo(), createTestDatabase(), Inbox.open(), buildServer()]);
});
afterAll(async () => {
  await inbox.close();
  await Promise.all([klaviyo.close(), shared.drop()]);
});

/** Runs a mutation that must succeed. `type` is the type of its input. */
async function ask(client: GraphQLClient, name: string, type: string, input: object, answer: string) {
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${answer} userErrors { message } } }`;
  const data = await client.query(query, { input });
  expect(data[name].userErrors).toEqual([]);
  return data[name];
}

async function makeSecretsOfEveryKind(server: Server) {
  const { client } = server;
  // A webhook with auth and two signing secrets.
  const webhook = { url: inbox.url, authType: 'BEARER', authConfig: { token: 'a-merchants-token' } };
  const webhookId = (
    await ask(client, 'createConnection', 'CreateConnectionInput', { type: 'WEBHOOK', webhook }, 'connection { id }')
  ).connection.id;
  await ask(client, 'revealSigningSecret', 'SigningSecretInput', { connectionId: webhookId }, 'signingSecret');
  const { signingSecret } = await ask(
    client,
    'rotateSigningSecret',
    'SigningSecretInput',
    { connectionId: webhookId },
    'signingSecret',
  );
  await subscribe(client, webhookId);
  // A response that is stored for a repeated request.
  const kept = await fetch(`${server.publicUrl}/api/v3/event-subscriptions/connections`, {
    method: 'POST',
    headers: { authorization: client.authorization, 'content-type': 'application/json', 'idempotency-key': 'kept' },
    body: JSON.stringify({ type: 'webhook', configuration: { url: inbox.url } }),
  });
  expect(kept.status).toBe(201);
  // An erasure that is not done yet.
  await ask(client, 'eraseRecipient', 'EraseRecipientInput', { email: 'nobody@example.com' }, 'erasure { id }');
  await server.sql("update erasures set run_at = now() + interval '1 day'");

  // A grant, and an event with a recipient and properties that waits until its connection is enabled again.
  const account = newAccount({ client, sandbox: klaviyo });
  const klaviyoId = await connectKlaviyo(client, account.id);
  await subscribe(client, klaviyoId);
  await ask(client, 'updateConnection', 'UpdateConnectionInput', { id: klaviyoId, isEnabled: false }, 'connection { id }');
  const heldEvent = await publish(client, { recipient, properties: { Plan: 'gold' } });

  // An authorization with its browser at the provider, and a grant whose revocation does not succeed.
  const decided = await decideAuthorization({ client, sandbox: klaviyo });
  const outage = klaviyo.klaviyo.inject({ kind: 'server_error', target: 'revoke' });
  const given = await connectKlaviyo(client, newAccount({ client, sandbox: klaviyo }).id);
  await ask(client, 'deleteConnection', 'DeleteConnectionInput', { id: given }, 'deletedId');
  await eventually(async () => expect(await revocations(server)).toEqual(['retry']));
  return { webhookId, signingSecret, account, klaviyoId, heldEvent, decided, outage };
}

const revocations = async ({ sql }: Pick<Server, 'sql'>) =>
  (await sql("select state from pgboss.job where name = 'revoke-grant'")).map(({ state }) => state);

/** Starts the built server as a process with these keys. Its log says what it re-encrypted. */
async function startProcess(encryptionKeys: string) {
  const server = runBuiltServer(folder, {
    ...klaviyo.environmentFor(publicUrl),
    PORT: String(await findFreePort()),
    HOST: '127.0.0.1',
    PUBLIC_URL: publicUrl,
    DATABASE_URL: shared.url,
    ENCRYPTION_KEYS: encryptionKeys,
    ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
    LOG_LEVEL: 'info',
  });
  onTestFinished(() => server.stop());
  await whenReady(server);
  return server;
}

describe('Rotating the encryption key', () => {
  it('begins with secrets in every place that is known to hold ciphertexts, and in no other', async () => {
    const server = await startLinkedSwitchboard(klaviyo, { shared, environment: { ENCRYPTION_KEYS: OLD } });
    publicUrl = server.publicUrl;
    keys = server.client.keys;
    made = await makeSecretsOfEveryKind(server);
    await server.close();
    const known = encryptedColumns.map(({ table, column }) => `public.${table}.${column}`);
    const places = await findCiphertexts(shared.url, 'old');
    expect(places.filter((place) => !BESIDE.test(place))).toEqual(known.toSorted());
    // The job's token, and the key's own canary.
    expect(places).toHaveLength(known.length + 2);
  });

  it('happens automatically when a server starts with a new key first; the log says what still needs the old one', async () => {
    const server = await startProcess(`${NEW},${OLD}`);
    await eventually(() => expect(server.output()).toContain('The key old is still in use'), { withinMs: 20_000 });
    expect(server.output()).toMatch(/"key":"old","values":0,"jobs":1,/);
    expect((await findCiphertexts(shared.url, 'old')).filter((place) => !BESIDE.test(place))).toEqual([]);
    expect(server.output()).not.toContain('can not be decrypted');
  });

  it('is complete when the waiting job is done', async () => {
    const patient = await startLinkedSwitchboard(klaviyo, {
      ...{ shared, publicUrl },
      environment: { ENCRYPTION_KEYS: `${NEW},${OLD}` },
    });
    klaviyo.klaviyo.clearFaults(made.outage.id);
    await eventually(async () => {
      await patient.sql("update pgboss.job set start_after = now() where name = 'revoke-grant' and state = 'retry'");
      expect(await revocations(patient)).toEqual(['completed']);
    });
    await patient.close();
    const server = await startProcess(`${NEW},${OLD}`);
    await eventually(() => expect(server.output()).toContain('Nothing is encrypted under the key old'), { withinMs: 20_000 });
  });

  it('makes the old key unnecessary: everything created under it works', async () => {
    const server = await startLinkedSwitchboard(klaviyo, { shared, publicUrl, environment: { ENCRYPTION_KEYS: NEW } });
    onTestFinished(() => server.close());
    const client = new GraphQLClient(`${server.ownUrl}/graphql`, keys);

    const revealed = await ask(
      client,
      'revealSigningSecret',
      'SigningSecretInput',
      { connectionId: made.webhookId },
      'signingSecret',
    );
    expect(revealed.signingSecret).toBe(made.signingSecret);
    inbox.received.splice(0);
    const event = await publish(client, { data: parcelEvent(2), recipient });
    const [received] = await eventually(() => {
      expect(inbox.received).toHaveLength(1);
      return inbox.received;
    });
    expect(received?.headers.authorization).toBe('Bearer a-merchants-token');
    expect(String(received?.headers['webhook-signature']).split(' ')).toHaveLength(2);

    // The held event goes out with its original recipient, after a refresh.
    await server.sql('update credentials set expires_at = now(), refresh_leased_until = null');
    klaviyo.klaviyo.resetCounters();
    await ask(client, 'updateConnection', 'UpdateConnectionInput', { id: made.klaviyoId, isEnabled: true }, 'connection { id }');
    for (const eventId of [made.heldEvent, event]) {
      await eventually(async () =>
        expect(await seeDeliveries(client, { eventId, connectionId: made.klaviyoId })).toMatchObject([{ status: 'DELIVERED' }]),
      );
    }
    expect(klaviyo.klaviyo.events(made.account.id).map(({ profile }) => profile)).toMatchObject([recipient, recipient]);
    expect(klaviyo.klaviyo.counters).toMatchObject({ refreshes: 1 });

    const { pathname, search } = made.decided.callback;
    expect(await openCallback(`${server.ownUrl}${pathname}${search}`)).toMatchObject({ status: 200 });
    expect(await seeConnection(client, made.decided.connectionId)).toMatchObject({ status: 'ACTIVE' });
  });
});

describe('A refresh between reading a token and storing it re-encrypted', () => {
  it('wins, because the grant would be lost otherwise: the new refresh token replaced the one before', async () => {
    const own = await createTestDatabase();
    onTestFinished(() => own.drop());
    const server = await startLinkedSwitchboard(klaviyo, { shared: own, environment: { ENCRYPTION_KEYS: OLD } });
    onTestFinished(() => server.close());
    const { client, database } = server;
    const connectionId = await connectKlaviyo(client, newAccount({ client, sandbox: klaviyo }).id);
    await subscribe(client, connectionId);
    const fault = klaviyo.klaviyo.inject({ kind: 'rotate_refresh_token' });
    onTestFinished(() => klaviyo.klaviyo.clearFaults(fault.id));
    const refresh = async () => {
      await server.sql('update credentials set expires_at = now(), refresh_leased_until = null');
      await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    };

    const rotated = new Cipher([keyOf(NEW), keyOf(OLD)]);
    const [read] = await server.sql('select * from credentials');
    await refresh();
    const [refreshed] = await server.sql('select * from credentials');
    for (const column of encryptedColumns.filter(({ table }) => table === 'credentials')) {
      const old = read[column.column];
      const swap = { key: connectionId, old, fresh: rotated.reencrypt(old, column.identity(connectionId)) };
      expect([...(await swapCiphertexts(database, column, [swap]))]).toEqual([]);
    }
    expect(await server.sql('select * from credentials')).toEqual([refreshed]);
    await refresh();
    expect(await seeConnection(client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });
});
