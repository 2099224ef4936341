import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionType } from '../../src/ConnectionType.js';
import { columnIdentity } from '../../src/database/Cipher.js';
import type { AttemptReport } from '../../src/delivery/Destination.js';
import { type LinkedConfiguration, type Provider, ProviderError, type TokenSet } from '../../src/oauth/Provider.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { openCallback } from '../support/openCallback.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';
import { parcelEvent, publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

/** A type that needs no authorization: appends each event to a ledger, as a line of JSON that begins with a secret word. */
function ledgerType(folder: string): ConnectionType {
  interface LedgerInput {
    readonly ledgerName?: string | null;
    readonly password?: string | null;
    readonly encoding?: string | null;
  }
  const fields = {
    ledger_name: { type: 'string', maxLength: 100, description: 'In the folder of this server.' },
    password: { type: 'string', maxLength: 100, description: 'Begins every line. Never readable again.' },
  };
  return {
    name: 'ledger',
    needsAuthorization: false,
    needsConfiguration: true,
    graphql: {
      fieldScopes: { 'LedgerConfiguration.lines': 'read' },
      schema: `
        extend enum ConnectionType { "A ledger." LEDGER }
        extend union ConnectionConfiguration = LedgerConfiguration
        extend input ConnectionConfigurationInput { "For LEDGER." ledger: LedgerConfigurationInput }
        "How lines are written."
        enum LedgerEncoding { "All of Unicode." UTF8 "Plain letters." ASCII }
        "Where lines go."
        input LedgerConfigurationInput { "Its name." ledgerName: String "Begins every line." password: String "UTF8 when not given." encoding: LedgerEncoding }
        "Where lines go."
        type LedgerConfiguration { "Its name." ledgerName: String! "How lines are written." encoding: LedgerEncoding! "How many there are." lines: Int! }
      `,
    },
    rest: {
      label: 'Ledger',
      createSchema: { type: 'object', additionalProperties: false, required: ['ledger_name'], properties: fields },
      updateFields: fields,
      answerFields: { ledger_name: { type: 'string' } },
      answerDescription: 'for a ledger, its name',
      toInput: ({ ledger_name, password }: { ledger_name?: string; password?: string }) => ({
        ledgerName: ledger_name,
        password,
      }),
      present: (configuration) => ({ ledger_name: (configuration as { ledgerName: string }).ledgerName }),
    },
    open: ({ cipher }) => ({
      provider: null,
      check(input: LedgerInput, stored, problems) {
        const old = stored?.configuration as { ledgerName: string; encoding: string } | undefined;
        const ledgerName = input.ledgerName ?? old?.ledgerName ?? '';
        if (ledgerName === '' || basename(ledgerName) !== ledgerName)
          problems.add('INVALID', 'ledgerName must be a name without slashes.', 'ledger', 'ledgerName');
        const secrets = input.password ? { password: input.password } : (stored?.secrets ?? null);
        return { configuration: { ledgerName, encoding: input.encoding ?? old?.encoding ?? 'utf8' }, secrets };
      },
      show: ({ configuration }, facts) => ({
        __typename: 'LedgerConfiguration',
        ...configuration,
        lines: () => facts.look(countLines, join(folder, (configuration as { ledgerName: string }).ledgerName)),
      }),
      destination: {
        type: 'ledger',
        maxDurationMs: 1_000,
        async deliver({ connection, event }) {
          const { ledgerName } = connection.configuration as { ledgerName: string };
          const secrets = connection.authConfig
            ? JSON.parse(cipher.decrypt(connection.authConfig, columnIdentity.authConfig(connection.id)))
            : { password: 'open' };
          try {
            await appendFile(join(folder, ledgerName), `${secrets.password} ${event.payload}\n`);
            return { kind: 'delivered', attempt: { ...REPORT, statusCode: null } };
          } catch (error) {
            const { code } = error as NodeJS.ErrnoException;
            return { kind: 'retry', attempt: { ...REPORT, error: { code: String(code), message: 'It could not be written.' } } };
          }
        },
      },
    }),
  };
}

const REPORT: AttemptReport = { durationMs: 1, statusCode: null, responseBody: null, error: null };

/** The names that GraphQL asked for in one call. */
const counted: (readonly string[])[] = [];

async function countLines(paths: readonly string[]): Promise<Map<string, number>> {
  counted.push(paths);
  return new Map(await Promise.all(paths.map(async (path) => [path, (await linesOf(path)).length] as const)));
}

const linesOf = async (path: string): Promise<string[]> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

/** A type that is linked by OAuth: posts each event to a chat room of the account. */
function chatType(chatUrl: string): ConnectionType {
  return {
    name: 'chat',
    needsAuthorization: true,
    needsConfiguration: true,
    graphql: {
      schema: `
        extend enum ConnectionType { "A chat." CHAT }
        extend union ConnectionConfiguration = ChatConfiguration
        extend input ConnectionConfigurationInput { "For CHAT." chat: ChatConfigurationInput }
        "Where events are said."
        input ChatConfigurationInput { "Its name." room: String! }
        "Where events are said."
        type ChatConfiguration { "Its name." room: String! "Who is linked." account: String }
      `,
    },
    rest: {
      label: 'Chat',
      createSchema: { type: 'object', additionalProperties: false, required: ['room'], properties: { room: { type: 'string' } } },
      updateFields: { room: { type: 'string' } },
      answerFields: { room: { type: 'string' } },
      answerDescription: 'for a chat, its room',
      toInput: (configuration) => configuration,
      present: (configuration) => ({ room: (configuration as { room: string }).room }),
    },
    open: ({ redirectUri, accessToken }) => ({
      provider: new ChatProvider(chatUrl, redirectUri('chat')),
      check: (input, _stored, problems) => {
        const { room } = input as { room: string };
        if (!room.startsWith('#')) problems.add('INVALID', 'A room begins with #.', 'chat', 'room');
        return { configuration: { room, scopes: ['whoami'] }, secrets: null };
      },
      show: async ({ configuration }, facts) => {
        const { room } = configuration as { room: string };
        return { __typename: 'ChatConfiguration', room, account: (await facts.credential())?.accountName ?? null };
      },
      destination: {
        type: 'chat',
        maxDurationMs: 5_000,
        async deliver({ connection, event }) {
          const { room } = connection.configuration as LinkedConfiguration & { room: string };
          const { token } = await accessToken(connection.id);
          const { status } = await post(`${chatUrl}/say`, { token, room, text: event.payload });
          return status === 200
            ? { kind: 'delivered', attempt: { ...REPORT, statusCode: status } }
            : { kind: 'retry', attempt: { ...REPORT, statusCode: status, error: { code: 'chat', message: 'It was not said.' } } };
        },
      },
    }),
  };
}

class ChatProvider implements Provider {
  readonly id = 'chat';
  readonly name = 'Chat';
  readonly clientId = 'switchboard';
  readonly scopes = ['whoami', 'say'].map((name) => ({ name, resource: name, access: 'read' as const, required: false }));
  readonly defaultScopes = ['whoami'];
  readonly deliveryScope = 'say';
  readonly sandbox = true;

  constructor(
    private readonly url: string,
    readonly redirectUri: string,
  ) {}

  isIssuer(iss: string): boolean {
    return iss === this.url;
  }

  authorizationUrl({ state, scopes }: { state: string; scopes: readonly string[] }): string {
    return `${this.url}/authorize?${new URLSearchParams({ state, scope: scopes.join(' ') })}`;
  }

  async exchange({ code }: { code: string }): Promise<TokenSet> {
    const { status, body } = await post(`${this.url}/token`, { code });
    if (status !== 200) throw new ProviderError('grant', 'invalid_grant', 'The code is no good.');
    return { accessToken: body.token, refreshToken: null, scopes: body.scopes, expiresInSeconds: 3_600 };
  }

  async refresh(): Promise<TokenSet> {
    throw new ProviderError('grant', 'invalid_grant', 'Nothing is refreshed here.');
  }

  async revoke(token: string): Promise<void> {
    await post(`${this.url}/revoke`, { token });
  }

  async account() {
    return { id: 'a1', name: 'Acme chat', timezone: null };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
async function post(url: string, body: object): Promise<{ status: number; body: any }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** The chat's own server, with one account whose owner allows everything. */
class ChatServer {
  readonly said: { room: string; text: string }[] = [];
  readonly revoked: string[] = [];
  #server: Server | undefined;

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = JSON.parse(Buffer.concat(chunks).toString());
      const answer = (status: number, value: object) => response.writeHead(status).end(JSON.stringify(value));
      if (request.url === '/token' && body.code === 'agreed') return answer(200, { token: 'chat-token', scopes: null });
      if (request.url === '/say' && body.token === 'chat-token') this.said.push({ room: body.room, text: body.text });
      else if (request.url === '/revoke') this.revoked.push(body.token);
      else return answer(403, {});
      return answer(200, {});
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

let folder: string;
let switchboard: TestSwitchboard;
let rest: RestClient;
const chat = new ChatServer();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchboard-third-type-'));
  const types = [ledgerType(folder), chatType(await chat.start())];
  switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '10ms,10ms,10ms' }, undefined, types);
  rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
});
afterAll(async () => {
  await switchboard?.close();
  chat.stop();
  await rm(folder, { recursive: true, force: true });
});

const CONNECTION = `id type status statusReason authorization { status } configuration { __typename
  ... on LedgerConfiguration { ledgerName encoding lines } ... on ChatConfiguration { room account } }`;
const USER_ERRORS = 'userErrors { code message path }';
const mutate = async (name: string, inputType: string, input: object, answer = `connection { ${CONNECTION} }`) =>
  (
    await switchboard.client.query(`mutation ($input: ${inputType}!) { ${name}(input: $input) { ${answer} ${USER_ERRORS} } }`, {
      input,
    })
  )[name];
const create = (input: object) => mutate('createConnection', 'CreateConnectionInput', input);
const update = (input: object) => mutate('updateConnection', 'UpdateConnectionInput', input);
const see = async (id: string) =>
  (await switchboard.client.query(`query ($id: ID!) { connection(id: $id) { ${CONNECTION} } }`, { id })).connection;
const createLedger = async (ledgerName: string) =>
  (await create({ configuration: { ledger: { ledgerName } } })).connection.id as string;

describe('A connection type that is one module and one line', () => {
  it('is created and read over GraphQL, with its secrets encrypted', async () => {
    const { connection, userErrors } = await create({
      configuration: { ledger: { ledgerName: 'one', password: 'sesame', encoding: 'ASCII' } },
    });
    expect(userErrors).toEqual([]);
    expect(connection).toMatchObject({
      type: 'LEDGER',
      status: 'ACTIVE',
      statusReason: null,
      authorization: null,
      configuration: { __typename: 'LedgerConfiguration', ledgerName: 'one', encoding: 'ASCII', lines: 0 },
    });
    expect(await see(connection.id)).toEqual(connection);
    const [row] = await switchboard.sql('select * from connections where id = ?', [connection.id]);
    expect(row).toMatchObject({ type: 'ledger', configuration: { ledgerName: 'one', encoding: 'ascii' } });
    expect(JSON.stringify(row)).not.toContain('sesame');
    const identity = columnIdentity.authConfig(Number(connection.id));
    expect(JSON.parse(testCipher.decrypt(row.auth_config, identity))).toEqual({ password: 'sesame' });
  });

  it('refuses invalid input, missing input, and input for another type', async () => {
    const message = 'ledgerName must be a name without slashes.';
    const invalid = { code: 'INVALID', message, path: ['configuration', 'ledger', 'ledgerName'] };
    const refused = { connection: null, userErrors: [invalid] };
    expect(await create({ configuration: { ledger: { ledgerName: '../one' } } })).toEqual(refused);
    expect((await create({ type: 'LEDGER' })).userErrors).toMatchObject([{ code: 'REQUIRED', path: ['ledger'] }]);
    const ledger = { ledgerName: 'one' };
    expect((await create({ type: 'WEBHOOK', configuration: { ledger } })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['configuration', 'ledger'] },
      { code: 'REQUIRED', path: ['configuration', 'webhook'] },
    ]);
    expect((await create({ type: 'LEDGER', webhook: { url: 'https://example.com' } })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['webhook'] },
      { code: 'REQUIRED', path: ['ledger'] },
    ]);
    expect(
      (await update({ id: await createLedger('one'), configuration: { ledger: { ledgerName: 'a/b' } } })).userErrors,
    ).toEqual([invalid]);
  });

  it('is updated, and keeps the fields that the update does not name', async () => {
    const { connection } = await create({
      configuration: { ledger: { ledgerName: 'old', password: 'sesame', encoding: 'ASCII' } },
    });
    const { id } = connection;
    expect((await update({ id, configuration: { ledger: { ledgerName: 'new' } } })).connection.configuration).toMatchObject({
      ledgerName: 'new',
      encoding: 'ASCII',
    });
    await subscribe(switchboard.client, id);
    await waitForDelivery(switchboard.client, await publish(switchboard.client), 'DELIVERED');
    expect((await linesOf(join(folder, 'new')))[0]).toMatch(/^sesame \{/);
    expect((await update({ id, isEnabled: false })).connection).toMatchObject({ status: 'DISABLED' });
    expect((await update({ id, isEnabled: true })).connection).toMatchObject({ status: 'ACTIVE' });
    await mutate('deleteConnection', 'DeleteConnectionInput', { id }, 'deletedId');
  });

  it('is created, listed, updated and refused over REST', async () => {
    const created = await rest.post('/connections', { type: 'ledger', configuration: { ledger_name: 'two', password: 'x' } });
    expect(created).toMatchObject({ status: 201, body: { data: { type: 'ledger', configuration: { ledger_name: 'two' } } } });
    const { id } = created.body.data;
    expect(created.body.data).not.toHaveProperty('authorization');
    expect((await rest.get(`/connections/${id}`)).body).toEqual(created.body);
    expect((await rest.get('/connections?connection_type=ledger')).body.data[0]).toEqual(created.body.data);
    const changed = await rest.patch(`/connections/${id}`, { configuration: { ledger_name: 'three' } });
    expect(changed.body.data.configuration).toEqual({ ledger_name: 'three' });
    expect(await rest.post('/connections', { type: 'ledger', configuration: { ledger_name: 'a/b' } })).toMatchObject({
      status: 400,
      body: {
        errors: [
          { detail: 'ledger_name must be a name without slashes.', source: { pointer: '/data/configuration/ledger_name' } },
        ],
      },
    });
    expect(await rest.post('/connections', { type: 'ledger', configuration: {} })).toMatchObject({ status: 400 });
    expect(await rest.patch(`/connections/${id}`, { configuration: { url: 'https://example.com' } })).toMatchObject({
      body: { errors: [{ detail: 'A ledger connection has no "url".', source: { pointer: '/data/configuration/url' } }] },
    });
    const description = await (await fetch(`${switchboard.publicUrl}/openapi.json`)).text();
    expect(description).toContain(
      'For a webhook, where and how it is called, without secrets; empty for Klaviyo; for a ledger, its name; for a chat, its room.',
    );
  });

  it('is a filter of lists, and reads what it shows once for a whole list', async () => {
    await createLedger('one');
    await createLedger('other');
    counted.splice(0);
    const { connections } = await switchboard.client.query(
      `{ connections(filter: { type: LEDGER }) { edges { node { type configuration { ... on LedgerConfiguration { lines } } } } } }`,
    );
    expect(connections.edges.length).toBeGreaterThan(2);
    expect(new Set(connections.edges.map(({ node }: { node: { type: string } }) => node.type))).toEqual(new Set(['LEDGER']));
    expect(counted).toHaveLength(1);
  });

  it('protects a field by its scope', async () => {
    const { createApiKey } = await switchboard.client.query(
      'mutation { createApiKey(input: { scopes: [MANAGE] }) { apiKey { publicKey } secretKey } }',
    );
    const { publicKey } = createApiKey.apiKey;
    const manager = new GraphQLClient(switchboard.client.url, { publicKey, secretKey: createApiKey.secretKey });
    const change = (field: string) =>
      manager.send(
        `mutation ($id: ID!) { updateConnection(input: { id: $id, name: "New" }) { connection { name configuration { ... on LedgerConfiguration { ${field} } } } } }`,
        { id },
      );
    const id = await createLedger('one');
    expect(await change('lines')).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect((await change('ledgerName')).data.updateConnection.connection).toEqual({
      name: 'New',
      configuration: { ledgerName: 'one' },
    });
  });

  it('is delivered to by its destination, tested, retried after a failure, and deleted with its open deliveries', async () => {
    const id = await createLedger('events');
    const subscriptionId = await subscribe(switchboard.client, id);
    const eventId = await publish(switchboard.client, { data: parcelEvent(42) });
    await waitForDelivery(switchboard.client, eventId, 'DELIVERED');
    const lines = await linesOf(join(folder, 'events'));
    expect(JSON.parse(lines.join('').replace('open ', ''))).toEqual(parcelEvent(42));
    const { result } = await mutate('broadcastTestEvent', 'BroadcastTestEventInput', { subscriptionId }, 'result { success }');
    expect(result).toEqual({ success: true });
    expect((await see(id)).configuration).toMatchObject({ lines: 2 });

    // A name that is a folder cannot be written to.
    await update({ id, configuration: { ledger: { ledgerName: '.' } } });
    const failing = await publish(switchboard.client);
    expect(await waitForDelivery(switchboard.client, failing, 'FAILED')).toMatchObject({
      attempts: Array(4).fill({ error: { code: 'OTHER', destinationCode: 'EISDIR', message: 'It could not be written.' } }),
    });
    await update({ id, configuration: { ledger: { ledgerName: 'events' } } });
    const [{ id: deliveryId }] = await seeDeliveries(switchboard.client, { eventId: failing });
    await mutate('retryDelivery', 'RetryDeliveryInput', { deliveryId }, 'delivery { status }');
    await waitForDelivery(switchboard.client, failing, 'DELIVERED');

    await update({ id, isEnabled: false });
    const held = await publish(switchboard.client);
    await waitForDelivery(switchboard.client, held, 'HELD');
    expect(await mutate('deleteConnection', 'DeleteConnectionInput', { id }, 'deletedId')).toMatchObject({ deletedId: id });
    await waitForDelivery(switchboard.client, held, 'CANCELLED');
    expect(await see(id)).toBeNull();
  });

  it('has neither an authorization nor a signing secret unless it says so', async () => {
    const connectionId = await createLedger('one');
    const of = { connectionId };
    const start = await mutate('startAuthorization', 'StartAuthorizationInput', of, 'authorizationUrl');
    expect(start.userErrors).toMatchObject([{ message: 'A ledger connection needs no authorization: it is ready as it is.' }]);
    const revoke = await mutate('revokeAuthorization', 'RevokeAuthorizationInput', of);
    expect(revoke.userErrors).toMatchObject([{ message: 'A ledger connection has no authorization to revoke.' }]);
    const check = await mutate('checkConnection', 'CheckConnectionInput', of, 'result { outcome }');
    expect(check.userErrors).toMatchObject([{ code: 'INVALID', path: ['connectionId'] }]);
    const secret = await mutate('revealSigningSecret', 'SigningSecretInput', of, 'signingSecret');
    expect(secret.userErrors).toMatchObject([{ message: 'Only webhook connections have a signing secret.' }]);
  });
});

describe('A connection type with a provider', () => {
  it('waits for its authorization, is linked at its own callback, delivers with its grant, and revokes it', async () => {
    const { connection } = await create({ configuration: { chat: { room: '#parcels' } } });
    const { id } = connection;
    expect(connection).toMatchObject({ type: 'CHAT', status: 'PENDING_AUTHORIZATION', configuration: { account: null } });
    expect((await rest.get(`/connections/${id}`)).body.data).toMatchObject({
      configuration: { room: '#parcels' },
      authorization: null,
    });
    await subscribe(switchboard.client, id);
    const waiting = await publish(switchboard.client, { data: parcelEvent(7) });
    await waitForDelivery(switchboard.client, waiting, 'HELD');

    const started = await mutate('startAuthorization', 'StartAuthorizationInput', { connectionId: id }, 'authorizationUrl');
    const parameters = new URL(started.authorizationUrl).searchParams;
    expect(parameters.get('scope')).toBe('whoami say');
    const back = new URLSearchParams({ code: 'agreed', state: String(parameters.get('state')) });
    expect(await openCallback(`${switchboard.publicUrl}/oauth/klaviyo/callback?${back}`)).toMatchObject({ status: 400 });
    const page = await openCallback(`${switchboard.publicUrl}/oauth/chat/callback?${back}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Acme chat');
    expect(await see(id)).toMatchObject({
      status: 'ACTIVE',
      authorization: { status: 'COMPLETED' },
      configuration: { __typename: 'ChatConfiguration', room: '#parcels', account: 'Acme chat' },
    });
    await waitForDelivery(switchboard.client, waiting, 'DELIVERED');
    expect(chat.said).toEqual([{ room: '#parcels', text: JSON.stringify(parcelEvent(7)) }]);

    const check = await mutate('checkConnection', 'CheckConnectionInput', { connectionId: id }, 'result { outcome }');
    expect(check).toMatchObject({ result: { outcome: 'HEALTHY' } });
    expect((await update({ id, configuration: { chat: { room: '#shop' } } })).connection.configuration).toMatchObject({
      room: '#shop',
    });
    const revoked = await mutate('revokeAuthorization', 'RevokeAuthorizationInput', { connectionId: id });
    expect(revoked.connection).toMatchObject({ status: 'PENDING_AUTHORIZATION' });
    await eventually(() => expect(chat.revoked).toEqual(['chat-token']));
  });

  it('accepts installs that begin at its provider, if its configuration allows it', async () => {
    const page = await fetch(`${switchboard.publicUrl}/oauth/chat/install`);
    const [install] = /[\w-]{43}/.exec(await page.text()) ?? [];
    const claim = (input: object) => mutate('claimInstall', 'ClaimInstallInput', { install, ...input }, 'authorizationUrl');
    expect((await claim({})).userErrors).toMatchObject([{ code: 'REQUIRED', path: ['chat'] }]);
    const { connection } = await create({ configuration: { chat: { room: '#shop' } } });
    expect((await claim({ connectionId: connection.id })).authorizationUrl).toMatch(/\/authorize\?state=/);
  });
});

describe('Connection types that contradict each other keep the server from starting:', () => {
  it.each([
    ['two with one name', (type: ConnectionType) => [type, type], 'There are two connection types with the name ledger.'],
    [
      'one whose destination is of another type',
      (type: ConnectionType) => [{ ...type, name: 'other' }],
      'The destination of other says that it is ledger.',
    ],
    [
      'one that gives a field of REST another meaning',
      (type: ConnectionType) => [{ ...type, rest: { ...type.rest, updateFields: { url: { type: 'integer' } } } }],
      'Two connection types define url differently.',
    ],
    [
      'one that names a type that the schema has not',
      (type: ConnectionType) => [{ ...type, graphql: { schema: 'extend union ConnectionConfiguration = Nothing' } }],
      'Unknown type "Nothing"',
    ],
  ])('%s keep the server from starting', async (_which, types, message) => {
    await expect(startSwitchboard({}, switchboard.testDatabase, types(ledgerType(folder)))).rejects.toThrow(message);
  });
});
