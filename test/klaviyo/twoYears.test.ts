import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBoundedFetch } from '../../src/klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from '../../src/klaviyo/KlaviyoOAuth.js';
import { klaviyoScopes } from '../../src/klaviyo/klaviyoScopes.js';
import {
  declareGrantLost,
  GrantLost,
  getProviderAccessToken,
  type RefreshDependencies,
  refreshIdleGrants,
} from '../../src/oauth/getProviderAccessToken.js';
import { ProviderError } from '../../src/oauth/Provider.js';
import { createSandbox, type Sandbox } from '../../src/sandbox/createSandbox.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';

const DAY_MS = 86_400_000;
const APP = { clientId: 'two years', clientSecret: 'of:secrets' };

/** The test sets the date of both Klaviyo and the server. */
let today = Date.now();
let klaviyo: Sandbox;
let app: ReturnType<typeof fastify>;
let switchboard: TestSwitchboard;
let dependencies: RefreshDependencies;

beforeAll(async () => {
  const redirectUris: string[] = [];
  let origin = '';
  klaviyo = createSandbox({
    ...APP,
    redirectUris,
    appScopes: klaviyoScopes.map(({ name }) => name),
    baseUrl: () => `${origin}/sandbox`,
    now: () => today,
  });
  app = fastify({ forceCloseConnections: true });
  await app.register(klaviyo.plugin, { prefix: '/sandbox' });
  origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const urls = { authorizeUrl: `${origin}/sandbox/klaviyo/oauth/authorize`, apiUrl: `${origin}/sandbox/klaviyo` };
  switchboard = await startSwitchboard({
    KLAVIYO_CLIENT_ID: APP.clientId,
    KLAVIYO_CLIENT_SECRET: APP.clientSecret,
    KLAVIYO_AUTHORIZE_URL: urls.authorizeUrl,
    KLAVIYO_API_URL: urls.apiUrl,
  });
  const redirectUri = `${switchboard.publicUrl}/oauth/klaviyo/callback`;
  redirectUris.push(redirectUri);
  const { database } = switchboard;
  const provider = new KlaviyoOAuth({
    ...APP,
    ...urls,
    redirectUri,
    revision: '2026-07-15',
    defaultScopes: [],
    sandbox: true,
    fetch: createBoundedFetch({ timeoutMs: 2_000, maxBodyBytes: 65_536 }),
  });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const ignore = async () => {};
  const notices = {
    authorizationCompleted: ignore,
    reauthorizationRequired: ignore,
    accountChanged: ignore,
    scopesMissing: ignore,
  };
  dependencies = {
    database,
    cipher: testCipher,
    providers: new Map([[provider.id, provider]]),
    log: silent,
    now: () => today,
    declareGrantLost: (credential, reason) => declareGrantLost({ database, notices }, credential, reason),
  };
});
afterAll(async () => {
  await switchboard.close();
  await app.close();
});

/** Simulates a day: the daily chore runs, and on some days a token is needed. Returns the result for that token. */
async function day(
  connectionId: number,
  { busy, outage }: { busy: boolean; outage: boolean },
): Promise<'unused' | 'good' | 'later' | 'lost'> {
  today += DAY_MS;
  // Ends the pauses and leases of the day before.
  await switchboard.sql('update credentials set refresh_leased_until = null');
  const fault = outage
    ? klaviyo.klaviyo.inject({ kind: today % 2 ? 'server_error' : 'bad_gateway_html', target: 'token' })
    : null;
  try {
    await refreshIdleGrants(dependencies);
    if (!busy) return 'unused';
    await switchboard.sql('update credentials set refresh_leased_until = null');
    await getProviderAccessToken(dependencies, connectionId);
    return 'good';
  } catch (error) {
    if (error instanceof GrantLost) return 'lost';
    if (error instanceof ProviderError && error.kind === 'transient') return 'later';
    throw error;
  } finally {
    if (fault) klaviyo.klaviyo.clearFaults(fault.id);
  }
}

describe('Two years in the life of a Klaviyo connection', () => {
  it('busy weeks, a year of silence, outages, and a revocation at the end: the grant never counts as lost while it is valid, and is always reported when it is lost', async () => {
    const account = klaviyo.klaviyo.addAccount({ name: 'A patient shop' }).id;
    const id = await connectKlaviyo(switchboard.client, account);
    const status = async () => (await seeConnection(switchboard.client, id)).status;
    for (let n = 1; n <= 730; n += 1) {
      const busy = n < 200 ? n % 7 < 3 : n > 560;
      // Outages of a day and of a whole week, also while the grant is not used.
      const outage = n % 41 === 0 || (n >= 260 && n < 267);
      const result = await day(Number(id), { busy, outage });
      if (busy) expect(result, `day ${n}`).toBe(outage ? 'later' : 'good');
      expect(await status(), `day ${n}`).toBe('ACTIVE');
    }
    expect(klaviyo.klaviyo.installations()).toMatchObject([{ refreshable: 1 }]);

    klaviyo.klaviyo.uninstall(account);
    expect(await day(Number(id), { busy: true, outage: true })).toBe('later');
    expect(await status()).toBe('ACTIVE');
    expect(await day(Number(id), { busy: true, outage: false })).toBe('lost');
    expect(await status()).toBe('REAUTHORIZATION_REQUIRED');
  }, 120_000);

  it('the chore detects a grant that was revoked without notice', async () => {
    const account = klaviyo.klaviyo.addAccount({ name: 'A shop that left' }).id;
    const id = await connectKlaviyo(switchboard.client, account);
    klaviyo.klaviyo.uninstall(account);
    let days = 0;
    while ((await seeConnection(switchboard.client, id)).status === 'ACTIVE' && days < 90) {
      await day(Number(id), { busy: false, outage: false });
      days += 1;
    }
    expect(days).toBeLessThanOrEqual(62);
    expect(await seeConnection(switchboard.client, id)).toMatchObject({ status: 'REAUTHORIZATION_REQUIRED' });
  }, 60_000);
});
