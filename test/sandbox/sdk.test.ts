import {
  AccountsApi,
  type CreatedTokens,
  type EventCreateQueryV2,
  EventsApi,
  type EventsBulkCreateJob,
  FilterBuilder,
  MetricsApi,
  OAuthApi,
  OAuthSession,
  Pkce,
  ProfilesApi,
  type RetrievedTokens,
  RetryWithExponentialBackoff,
  type TokenStorage,
} from 'klaviyo-api';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { decide, redirected } from './support/oauthClient.js';
import { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, startSandbox } from './support/startSandbox.js';

const SCOPES = ['accounts:read', 'events:read', 'events:write', 'metrics:read', 'profiles:read'];

/** Klaviyo's SDK unchanged, except for the hosts, which are fields. */
class SandboxOAuthApi extends OAuthApi {
  constructor(clientId: string, clientSecret: string, storage: TokenStorage, url: string) {
    super(clientId, clientSecret, storage);
    this.authorizeUrl = `${url}/klaviyo/oauth/authorize`;
    this.tokenUrl = `${url}/klaviyo/oauth/token`;
  }
}

class Memory implements TokenStorage {
  tokens = new Map<string, RetrievedTokens>();
  retrieve(customer: string): RetrievedTokens {
    const tokens = this.tokens.get(customer);
    if (!tokens) throw new Error('No tokens');
    return tokens;
  }
  save(customer: string, tokens: CreatedTokens): void {
    this.tokens.set(customer, tokens);
  }
}

const client = { id: CLIENT_ID, secret: CLIENT_SECRET, redirectUri: REDIRECT_URI };

/** Does what the merchant's browser does: opens the SDK's link, presses Allow, and returns the code. */
async function approve(link: string, url: string): Promise<string> {
  expect((await fetch(link, { redirect: 'manual' })).status).toBe(200);
  const parameters = Object.fromEntries(new URL(link).searchParams);
  const callback = redirected(await decide(url, { decision: 'allow', account: 'SbX001' }, parameters));
  expect(callback.get('state')).toBe('the-state-of-the-sdk');
  return callback.get('code') ?? '';
}

async function connected(scopes = SCOPES) {
  const running = await startSandbox({ appScopes: SCOPES });
  return { ...running, ...(await connect(running.url, client, scopes)) };
}

async function connect(url: string, app: typeof client, scopes = SCOPES) {
  const storage = new Memory();
  const oauth = new SandboxOAuthApi(app.id, app.secret, storage, url);
  const { codeVerifier, codeChallenge } = Pkce.generateCodes();
  const link = oauth.generateAuthorizeUrl('the-state-of-the-sdk', scopes.join(' '), codeChallenge, app.redirectUri);
  await oauth.createTokens('merchant', codeVerifier, await approve(link, url), app.redirectUri);
  const session = new OAuthSession('merchant', oauth, new RetryWithExponentialBackoff({ numRetries: 3 }));
  const apis = {
    accounts: new AccountsApi(session),
    events: new EventsApi(session),
    metrics: new MetricsApi(session),
    profiles: new ProfilesApi(session),
  };
  for (const api of Object.values(apis)) api.basePath = `${url}/klaviyo`;
  return { ...apis, oauth, storage };
}

const metric = (name: string) => ({ data: { type: 'metric' as const, attributes: { name } } });
const person = (attributes: Record<string, unknown>) => ({ data: { type: 'profile' as const, attributes } });

const event = (attributes: Partial<EventCreateQueryV2['data']['attributes']> = {}): EventCreateQueryV2 => ({
  data: {
    type: 'event',
    attributes: {
      properties: { carrier: 'PostNL' },
      time: new Date('2026-08-01T10:00:00Z'),
      uniqueId: 'one',
      metric: metric('Parcel Delivered'),
      profile: person({ email: 'ann@example.com' }),
      ...attributes,
    },
  },
});

/** Returns status and errors of a response that made the SDK throw. */
async function refusal(attempt: Promise<unknown>) {
  const error = (await attempt.then(
    () => expect.fail('This was not refused'),
    (reason) => reason,
  )) as { response: { status: number; data: { errors: Record<string, unknown>[] } } };
  return { status: error.response.status, errors: error.response.data.errors };
}

describe('klaviyo-api 23: authorization', () => {
  it('links an account, and reads it', async () => {
    const { accounts, storage } = await connected();
    expect(storage.retrieve('merchant').accessToken).toHaveLength(4_096);
    const { body } = await accounts.getAccounts();
    expect(body.data[0]).toMatchObject({ id: 'SbX001', attributes: { timezone: 'Europe/Amsterdam', preferredCurrency: 'EUR' } });
  });

  it('reads an account by its id, with selected fields, and no account but its own', async () => {
    const { accounts, advance } = await connected();
    const { body } = await accounts.getAccount('SbX001', {
      fieldsAccount: ['timezone', 'contact_information.organization_name'],
    });
    expect(body.data.id).toBe('SbX001');
    const { attributes } = body.data;
    expect(attributes.contactInformation.organizationName).toBe('Sandbox Store');
    expect(attributes.contactInformation.websiteUrl).toBeUndefined();
    expect(attributes.locale).toBeUndefined();
    advance(1_000);
    const { status, errors } = await refusal(accounts.getAccount('SbX002'));
    expect(status).toBe(404);
    expect(errors).toMatchObject([{ status: 404, code: 'not_found', source: { pointer: '/data/' } }]);
  });

  it('refreshes when the token is about to expire', async () => {
    const { accounts, klaviyo, storage } = await connected();
    const before = storage.retrieve('merchant');
    storage.tokens.set('merchant', { ...before, expiresAt: new Date(Date.now() + 10_000) });
    await accounts.getAccounts();
    expect(klaviyo.counters.refreshes).toBe(1);
    expect(storage.retrieve('merchant')).toMatchObject({ refreshToken: before.refreshToken });
    expect(storage.retrieve('merchant').accessToken).not.toBe(before.accessToken);
  });

  it('refreshes after a 401, and tries again', async () => {
    const { events, klaviyo } = await connected();
    klaviyo.expireAccessTokens('SbX001');
    expect((await events.createEvent(event())).response.status).toBe(202);
    expect(klaviyo.counters).toMatchObject({ refreshes: 1, unauthorized: 1, events: 1 });
  });

  it('gets invalid_grant after the app was uninstalled', async () => {
    const { events, klaviyo, oauth } = await connected();
    klaviyo.uninstall('SbX001');
    await expect(events.createEvent(event())).rejects.toMatchObject({ name: 'REFRESH_TOKEN_ERROR', message: 'invalid_grant' });
    await expect(oauth.refreshTokens('merchant')).rejects.toMatchObject({ message: 'invalid_grant' });
  });

  it('is refused with a wrong verifier, a code used twice, and the secret of another app', async () => {
    const { url, klaviyo, oauth } = await connected();
    const { codeChallenge } = Pkce.generateCodes();
    const link = oauth.generateAuthorizeUrl('the-state-of-the-sdk', SCOPES.join(' '), codeChallenge, REDIRECT_URI);
    const refused = { name: 'CREATE_TOKEN_ERROR', message: 'invalid_grant' };
    const wrong = oauth.createTokens('merchant', Pkce.generateCodes().codeVerifier, await approve(link, url), REDIRECT_URI);
    await expect(wrong).rejects.toMatchObject(refused);

    const codes = Pkce.generateCodes();
    const second = oauth.generateAuthorizeUrl('the-state-of-the-sdk', SCOPES.join(' '), codes.codeChallenge, REDIRECT_URI);
    const code = await approve(second, url);
    const other = klaviyo.addApp({ name: 'Thief', redirectUris: [REDIRECT_URI] });
    const thief = new SandboxOAuthApi(other.clientId, other.clientSecret, new Memory(), url);
    await expect(thief.createTokens('x', codes.codeVerifier, code, REDIRECT_URI)).rejects.toMatchObject(refused);
    await oauth.createTokens('merchant', codes.codeVerifier, code, REDIRECT_URI);
    await expect(oauth.createTokens('merchant', codes.codeVerifier, code, REDIRECT_URI)).rejects.toMatchObject(refused);
  });
});

describe('klaviyo-api 23: events', () => {
  it('creates an event with everything it can have, and reads back event, metric and profile', async () => {
    const { events, metrics, profiles, klaviyo } = await connected();
    const properties = Object.fromEntries([...Array(400).keys()].map((n) => [`p${n}`, n]));
    const who = { email: 'Ann@example.com', firstName: 'Ann', lastName: 'Lee', locale: 'nl-NL', anonymousId: 'cookie' };
    await events.createEvent(
      event({
        ...{ properties, value: 9.99, valueCurrency: 'EUR', backfill: true },
        profile: person({ ...who, externalId: 'customer-7', properties: { tier: 'gold' } }),
      }),
    );
    expect(klaviyo.events('SbX001')).toMatchObject([{ value: 9.99, valueCurrency: 'EUR', backfill: true, uniqueId: 'one' }]);

    const profile = (await profiles.getProfiles({ filter: new FilterBuilder().equals('email', 'ann@example.com').build() })).body
      .data[0];
    expect(profile?.attributes).toMatchObject({
      ...{ email: 'Ann@example.com', firstName: 'Ann', lastName: 'Lee', locale: 'nl-NL', externalId: 'customer-7' },
      properties: { tier: 'gold' },
    });
    const found = (await metrics.getMetrics()).body.data;
    expect(found.map(({ attributes }) => attributes.name)).toEqual(['Parcel Delivered']);

    const filter = new FilterBuilder()
      .equals('metric_id', found[0]?.id ?? '')
      .equals('profile_id', profile?.id ?? '')
      .build();
    const { body } = await events.getEvents({ filter, include: ['metric', 'profile'] });
    expect(body.data).toHaveLength(1);
    expect(body.data[0]?.attributes.eventProperties).toMatchObject({ p399: 399, $value: 9.99, $event_id: 'one' });
    expect(body.data[0]?.attributes.datetime).toEqual(new Date('2026-08-01T10:00:00Z'));
    expect(body.data[0]?.relationships?.profile?.data?.id).toBe(profile?.id);
    expect(body.included?.map(({ type, id }) => `${type} ${id}`).sort()).toEqual(
      [`metric ${found[0]?.id}`, `profile ${profile?.id}`].sort(),
    );
    expect((await events.getEvent(body.data[0]?.id ?? '')).body.data.id).toBe(body.data[0]?.id);
    expect((await metrics.getMetric(found[0]?.id ?? '')).body.data.attributes.name).toBe('Parcel Delivered');
    expect((await profiles.getProfile(profile?.id ?? '')).body.data.attributes.firstName).toBe('Ann');
  });

  it('filters by time, sorts, selects fields, and pages by cursor and by link', async () => {
    const { events } = await connected();
    for (const hour of [1, 2, 3, 4, 5]) {
      await events.createEvent(event({ uniqueId: `${hour}`, time: new Date(Date.UTC(2026, 6, 31, hour)), properties: { hour } }));
    }
    const filter = new FilterBuilder().greaterThan('datetime', new Date('2026-07-31T01:00:00Z')).build();
    const options = { filter, sort: 'datetime' as const, pageSize: 2, fieldsEvent: ['event_properties' as const] };
    const first = (await events.getEvents(options)).body;
    const hours = ({ data }: typeof first) => data.map(({ attributes }) => (attributes.eventProperties as { hour: number }).hour);
    expect(hours(first)).toEqual([2, 3]);
    expect(first.data[0]?.attributes.datetime).toBeUndefined();
    const next = first.links?.next ?? '';
    const second = (await events.getEvents({ ...options, pageCursor: next })).body;
    expect(hours(second)).toEqual([4, 5]);
    expect(second.links?.next).toBeNull();
    const cursor = new URL(second.links?.prev ?? '').searchParams.get('page[cursor]') ?? '';
    expect(hours((await events.getEvents({ ...options, pageCursor: cursor })).body)).toEqual([2, 3]);
    expect(hours((await events.getEvents()).body)).toEqual([5, 4, 3, 2, 1]);
  });

  it('says which query parameter is wrong', async () => {
    const { events, profiles } = await connected();
    const wrong = async (attempt: Promise<unknown>, parameter: string) => {
      const { status, errors } = await refusal(attempt);
      expect(status).toBe(400);
      expect(errors).toMatchObject([{ code: 'invalid', source: { parameter } }]);
    };
    await wrong(events.getEvents({ filter: 'equals(email,"a@example.com")' }), 'filter');
    await wrong(events.getEvents({ filter: 'equals(metric_id' }), 'filter');
    await wrong(events.getEvents({ filter: 'equals(constructor,1)' }), 'filter');
    await wrong(events.getEvents({ filter: 'greater-than(datetime,yesterday)' }), 'filter');
    await wrong(events.getEvents({ pageCursor: 'nowhere' }), 'page[cursor]');
    await wrong(profiles.getProfiles({ pageSize: 101 }), 'page[size]');
    await wrong(profiles.getProfiles({ sort: 'name' as 'email' }), 'sort');
    await wrong(profiles.getProfiles({ fieldsProfile: ['age' as 'email'] }), 'fields[profile]');
  });

  it('knows one profile by any of its identifiers', async () => {
    const { events, profiles } = await connected();
    await events.createEvent(event({ uniqueId: 'a', profile: person({ email: 'ann@example.com', externalId: 'c7' }) }));
    await events.createEvent(event({ uniqueId: 'b', profile: person({ externalId: 'c7', phoneNumber: '+31612345678' }) }));
    await events.createEvent(event({ uniqueId: 'c', profile: person({ email: 'bob@example.com' }) }));
    const { data } = (await profiles.getProfiles({ sort: 'email' })).body;
    expect(data.map(({ attributes }) => [attributes.email, attributes.phoneNumber])).toEqual([
      ['ann@example.com', '+31612345678'],
      ['bob@example.com', null],
    ]);
    const any = await profiles.getProfiles({ filter: 'any(email,["bob@example.com","x@example.com"])' });
    expect(any.body.data).toHaveLength(1);
  });

  it('needs the scope of what it reads', async () => {
    const { events, metrics, profiles } = await connected(['accounts:read']);
    for (const attempt of [events.getEvents(), metrics.getMetrics(), profiles.getProfiles(), events.createEvent(event())]) {
      expect(await refusal(attempt)).toMatchObject({ status: 403, errors: [{ code: 'permission_denied' }] });
    }
  });

  it('creates events in bulk, as history where the job says so, and fails whole for a repeated unique_id', async () => {
    const { events, klaviyo } = await connected();
    const job = (...uniqueIds: string[]): EventsBulkCreateJob => ({
      data: {
        type: 'event-bulk-create-job',
        attributes: {
          eventsBulkCreate: {
            data: [
              {
                type: 'event-bulk-create',
                attributes: {
                  backfill: true,
                  profile: person({ email: 'ann@example.com' }),
                  events: {
                    data: uniqueIds.map((uniqueId) => ({
                      type: 'event' as const,
                      attributes: { properties: {}, uniqueId, metric: metric('Parcel Delivered') },
                    })),
                  },
                },
              },
            ],
          },
        },
      },
    });
    expect((await events.bulkCreateEvents(job('a', 'b'))).response.status).toBe(202);
    expect(klaviyo.events('SbX001')).toMatchObject([
      { uniqueId: 'a', backfill: true, via: 'bulk' },
      { uniqueId: 'b', backfill: true, via: 'bulk' },
    ]);
    expect(await refusal(events.bulkCreateEvents(job('c', 'a')))).toMatchObject({ status: 400 });
    expect(klaviyo.eventTotals('SbX001').recorded).toBe(2);
  });

  it('waits after a 429 as Retry-After says, and tries again', async () => {
    const { events, klaviyo } = await connected();
    klaviyo.inject({ kind: 'unavailable', target: 'api', count: 1, seconds: 1 });
    expect((await events.createEvent(event())).response.status).toBe(202);
    klaviyo.inject({ kind: 'throttle', target: 'api', count: 1, seconds: 1 });
    expect((await events.createEvent(event({ uniqueId: 'two' }))).response.status).toBe(202);
    expect(klaviyo.counters).toMatchObject({ faults: 2, events: 2 });
  });

  it('is throttled by the real limits, with Retry-After alone', async () => {
    const { accounts, advance, klaviyo } = await connected();
    const { response } = await accounts.getAccounts();
    expect(response.headers).toMatchObject({ 'ratelimit-limit': '15', 'ratelimit-remaining': '14' });
    const second = accounts.getAccounts();
    await eventually(() => expect(klaviyo.counters.throttled).toBe(1));
    advance(1_000);
    expect((await second).response.headers['ratelimit-remaining']).toBe('13');
  });
});

describe('another developer’s app', () => {
  it('is added with its own id, secret and redirect URIs, and installed beside Switchboard’s', async () => {
    const running = await startSandbox({ appScopes: SCOPES });
    const own = await connect(running.url, client);
    const app = { id: 'my-app', secret: 'my-secret', redirectUri: 'http://localhost:3000/callback' };
    running.klaviyo.addApp({ name: 'Mine', clientId: app.id, clientSecret: app.secret, redirectUris: [app.redirectUri] });
    const mine = await connect(running.url, app);
    expect(running.klaviyo.installations().map((installation) => installation.app.name)).toEqual(['Switchboard', 'Mine']);
    expect((await mine.accounts.getAccounts()).body.data[0]?.id).toBe('SbX001');
    expect((await own.accounts.getAccounts()).body.data[0]?.id).toBe('SbX001');
    // Each app has its own tokens.
    const stolen = mine.oauth.refreshTokens('merchant', own.storage.retrieve('merchant').refreshToken);
    await expect(stolen).rejects.toMatchObject({ message: 'invalid_grant' });
    running.klaviyo.uninstall('SbX001', running.klaviyo.apps()[1]?.id);
    await expect(mine.oauth.refreshTokens('merchant')).rejects.toMatchObject({ message: 'invalid_grant' });
    await own.oauth.refreshTokens('merchant');
  });
});

describe('unknown paths', () => {
  it.each([
    ['GET', 'flows', 404, 'not_found'],
    ['DELETE', 'events', 405, 'method_not_allowed'],
    ['GET', 'events/unknown/else', 404, 'not_found'],
  ])('%s /api/%s answers %i in JSON:API', async (method, path, status, code) => {
    const { url } = await startSandbox();
    const response = await fetch(`${url}/klaviyo/api/${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/vnd.api+json');
    expect(await response.json()).toMatchObject({ errors: [{ status, code, source: { pointer: '/data/' } }] });
  });
});
