import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrganization } from '../../src/access/createOrganization.js';
import { Database } from '../../src/database/Database.js';
import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import { MerchantBrowser } from '../http/connect/support/MerchantBrowser.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { type CallbackAnswer, openCallback, withParameters } from '../support/openCallback.js';
import { tryCreateSession } from '../support/sessionFlow.js';
import { type BuiltServer, buildServer, runBuiltServer, whenReady } from '../support/startBuiltServer.js';
import { CLIENT_SECRET, type StandaloneKlaviyo, startKlaviyo } from '../support/startKlaviyo.js';
import { TEST_KEY } from '../support/startSwitchboard.js';
import { dumpDatabase } from './support/dumpDatabase.js';
import { findLeaks } from './support/findLeaks.js';

const secrets = new Map<string, string>([
  ['the client secret', CLIENT_SECRET],
  ["the merchant's bearer token", 'merchant-bearer-token-0123456789'],
  ["the merchant's password", 'merchant-password-0123456789'],
  ["the merchant's API key", 'merchant-api-key-0123456789'],
  ['the encryption key', TEST_KEY.slice('test:'.length)],
]);
/** The responses of the server, and what it sent to the merchant's browser. */
const answers: string[] = [];
let dump: string[] = [];
let server: BuiltServer;
let klaviyo: StandaloneKlaviyo;
let testDatabase: TestDatabase;
let database: Database;

/** Runs the flow with every possible failure, on the built server, with the most detailed log. */
beforeAll(async () => {
  const [folder, port] = await Promise.all([buildServer(), findFreePort()]);
  [klaviyo, testDatabase] = await Promise.all([startKlaviyo(), createTestDatabase()]);
  const publicUrl = `http://127.0.0.1:${port}`;
  server = runBuiltServer(folder, {
    ...klaviyo.environmentFor(publicUrl),
    PORT: String(port),
    HOST: '127.0.0.1',
    PUBLIC_URL: publicUrl,
    DATABASE_URL: testDatabase.url,
    ENCRYPTION_KEYS: TEST_KEY,
    RETURN_TO_ORIGINS: 'https://app.example.com',
    LOG_LEVEL: 'trace',
  });
  database = await Database.open({ url: testDatabase.url });
  await whenReady(server);
  const keys = await createOrganization({ database }, 'Acme');
  secrets.set('the API secret', keys.secretKey);
  await act(publicUrl, new GraphQLClient(`${publicUrl}/graphql`, keys));
  for (const { path, requestBody, responseBody, requestHeaders } of klaviyo.proxy.exchanges) {
    const sent = new URLSearchParams(requestBody);
    learn(`the verifier sent to ${path}`, sent.get('code_verifier'));
    learn(`the token sent to ${path}`, sent.get('token'));
    learn('the header with the client secret', requestHeaders.get('authorization')?.split(' ')[1]);
    if (!responseBody.includes('access_token')) continue;
    const tokens = JSON.parse(responseBody);
    learn('the access token', tokens.access_token);
    learn('the refresh token', tokens.refresh_token);
  }
  dump = await dumpDatabase(testDatabase.url);
}, 90_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await Promise.all([klaviyo?.close(), testDatabase?.drop()]);
});

let learned = 0;
function learn(name: string, secret: string | null | undefined): void {
  learned += 1;
  if (secret) secrets.set(`${name} (${learned})`, secret);
}

async function act(publicUrl: string, client: GraphQLClient): Promise<void> {
  const place = { client, sandbox: klaviyo };
  const ask = async (query: string, variables: object = {}, headers: Record<string, string> = {}) => {
    const answer = await client.send(query, variables, headers);
    answers.push(JSON.stringify([answer.data, answer.errors, [...answer.headers]]));
    return answer.data;
  };
  const open = async (url: URL | string, init?: RequestInit): Promise<CallbackAnswer> => {
    const { searchParams } = new URL(url);
    learn('a code', searchParams.get('code'));
    learn('a state', searchParams.get('state'));
    const answer = await openCallback(url, init);
    answers.push(JSON.stringify([answer.markup, [...answer.headers]]));
    return answer;
  };
  const everything = async () => {
    await ask(`{ organization { id name } klaviyoApp { clientId redirectUri scopes } connections { edges { node { id name status statusReason
      configuration { __typename ... on WebhookConfiguration { url authType extraHeaders { name value } }
        ... on KlaviyoConfiguration { requestedScopes grantedScopes account { id name } accessTokenExpiresAt } }
      authorization { id status errorCode errorDescription scopes } } } } }`);
  };

  // Klaviyo: successful, bound to the browser, reloaded, denied, refused, and with failures at every step.
  const first = await decideAuthorization(place, { input: { returnTo: 'https://app.example.com/done' } });
  expect(await open(withParameters(first.callback, { iss: 'https://evil.example' }))).toMatchObject({ status: 400 });
  expect((await open(first.callback, { method: 'HEAD' })).status).toBeGreaterThanOrEqual(400);
  expect(await open(first.callback)).toMatchObject({ status: 303 });
  await open(first.callback);
  await open(
    `${publicUrl}/oauth/klaviyo/callback?code=a-code-without-a-state-0123456789&state=a-state-that-is-unknown-0123456789`,
  );
  await open((await decideAuthorization(place, { decision: 'deny' })).callback);
  for (const kind of ['invalid_client', 'invalid_grant', 'server_error', 'reset'] as const) {
    const decided = await decideAuthorization(place);
    klaviyo.klaviyo.inject({ kind, target: 'token', count: 1 });
    await open(decided.callback);
  }
  const unstorable = await decideAuthorization(place);
  await database.em().getConnection().execute("alter table credentials add constraint none check (provider = 'none') not valid");
  expect(await open(unstorable.callback)).toMatchObject({ status: 500 });
  await database.em().getConnection().execute('alter table credentials drop constraint none');
  const lost = await decideAuthorization(place);
  await database.em().getConnection().execute('alter table authorizations rename to elsewhere');
  expect(await open(lost.callback)).toMatchObject({ status: 500 });
  await everything();
  await database.em().getConnection().execute('alter table elsewhere rename to authorizations');
  const other = await decideAuthorization(place, { connectionId: first.connectionId });
  expect(await open(other.callback)).toMatchObject({ status: 409 });
  const bound = await client.send(
    'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id, bindToBrowser: true }) { authorizationUrl } }',
    { id: first.connectionId },
  );
  learn('the binding cookie', /=([\w-]{43})/.exec(bound.headers.getSetCookie()[0] ?? '')?.[1]);
  await everything();
  await ask('mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { connection { status } } }', {
    id: first.connectionId,
  });

  // Links to the connect page: opened, used, of a session that cannot be looked up, and of an ended one.
  const link = await tryCreateSession(client, { permissions: ['CONNECT'], connectionId: first.connectionId });
  learn('a session', link.token);
  const browser = new MerchantBrowser(publicUrl);
  const asked = await browser.follow(link.url);
  const gone = await browser.press(asked);
  learn('the state of a link', new URL(gone.headers.get('location') as string).searchParams.get('state'));
  await database.em().getConnection().execute('alter table sessions rename to elsewhere');
  const broken = [await browser.open(link.url), await browser.open('/connect'), await browser.press(asked)];
  expect(broken.map(({ status }) => status)).toEqual([500, 500, 500]);
  await database.em().getConnection().execute('alter table elsewhere rename to sessions');
  await ask('mutation ($id: ID!) { endSession(input: { id: $id }) { session { id } } }', { id: link.session.id });
  const over = [await browser.open(link.url), await browser.open('/connect'), await browser.press(asked)];
  expect(over.map(({ status }) => status)).toEqual([410, 410, 410]);
  for (const { markup, headers } of [asked, ...broken, ...over]) answers.push(JSON.stringify([markup, [...headers]]));

  // An install that began at Klaviyo, whose token is for the browser only: claimed, checked, and claimed when that fails.
  const page = await (await fetch(`${publicUrl}/oauth/klaviyo/install`)).text();
  const install = /<code>([\w-]{43})<\/code>/.exec(page)?.[1];
  learn('an install', install);
  const claim = `mutation ($install: String!) { claimInstall(input: { install: $install }) { connection { id } authorization { id } userErrors { code message path } } }`;
  const { claimInstall } = await ask(claim, { install });
  await ask('mutation ($id: ID!) { checkConnection(input: { connectionId: $id }) { result { message } } }', {
    id: claimInstall.connection.id,
  });
  await database.em().getConnection().execute('alter table installs rename to elsewhere');
  await ask(claim, { install });
  expect((await fetch(`${publicUrl}/oauth/klaviyo/install?code=an-install-0123456789`)).status).toBe(500);
  await database.em().getConnection().execute('alter table elsewhere rename to installs');

  // Webhooks with every kind of secret, accepted and refused, and a caller with a wrong secret.
  const create = `mutation ($webhook: WebhookConfigurationInput!) {
    createConnection(input: { type: WEBHOOK, webhook: $webhook }) { connection { id configuration { __typename } } userErrors { code message path } }
  }`;
  const authConfigs = {
    BEARER: { token: secrets.get("the merchant's bearer token") },
    BASIC: { username: 'me', password: secrets.get("the merchant's password") },
    API_KEY: { headerName: 'X-Key', apiKey: secrets.get("the merchant's API key") },
  };
  for (const [authType, authConfig] of Object.entries(authConfigs)) {
    await ask(create, { webhook: { url: 'https://example.com/', authType, authConfig } });
    await ask(create, { webhook: { url: 'https://example.com/', authType: 'NONE', authConfig } });
    await ask(create, { webhook: { url: 'not a url', authType, authConfig } });
    await ask(create, { webhook: { authType, authConfig, unknown: true } });
  }
  await everything();
  const wrong = `${client.keys.publicKey}:${client.keys.secretKey}x`;
  await ask('{ organization { id } }', {}, { authorization: `Basic ${Buffer.from(wrong).toString('base64')}` });
  await ask('{ organization { id } }', {}, { authorization: `Bearer ${client.keys.secretKey}` });
  // The revocation of the other account's grant waits for a minute first.
  await database.em().getConnection().execute("update pgboss.job set start_after = now() where name = 'revoke-grant'");
  await eventually(() => expect(klaviyo.klaviyo.counters.revocationRequests).toBeGreaterThan(1));
}

describe('No secret is in the clear', () => {
  it('although all of them were used', () => {
    const kinds = new Set([...secrets.keys()].map((name) => name.replace(/ \(\d+\)$/, '')));
    expect(kinds).toEqual(
      new Set([
        'the client secret',
        "the merchant's bearer token",
        "the merchant's password",
        "the merchant's API key",
        'the encryption key',
        'the API secret',
        'a code',
        'a state',
        'an install',
        'a session',
        'the state of a link',
        'the access token',
        'the refresh token',
        'the binding cookie',
        'the header with the client secret',
        'the verifier sent to /sandbox/klaviyo/oauth/token',
        'the token sent to /sandbox/klaviyo/oauth/revoke',
      ]),
    );
    expect(answers.length).toBeGreaterThan(20);
    expect(
      dump.filter((line) => /^public\.(authorizations|credentials|connections)|^pgboss\.job/.test(line)).length,
    ).toBeGreaterThan(15);
  });

  it('in the most detailed log', () => {
    expect(server.output()).toContain('"level":20');
    expect(server.output()).toContain('A callback failed unexpectedly');
    expect(server.output()).toContain("Klaviyo refused this server's own credentials");
    expect(findLeaks(server.output(), secrets)).toEqual([]);
  });

  it('in the database, in any table', () => {
    expect(dump.filter((line) => findLeaks(line, secrets).length > 0)).toEqual([]);
  });

  it('in any GraphQL response, page or redirect', () => {
    expect(answers.filter((answer) => findLeaks(answer, secrets).length > 0)).toEqual([]);
  });

  it('and the search finds a text that is there', () => {
    expect(findLeaks(`xx${CLIENT_SECRET}`, secrets)).toEqual(['the client secret']);
    expect(findLeaks(encodeURIComponent(CLIENT_SECRET), secrets)).toEqual(['the client secret']);
  });
});
