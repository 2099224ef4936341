import { describe, expect, it } from 'vitest';
import { eventBody, metric, pointers, post, profile } from './support/eventRequests.js';
import { install } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

async function connected(scope?: string) {
  const running = await startSandbox();
  const { access_token } = await install(running.url, 'SbX001', scope ? { scope } : {});
  const send = (body: unknown, headers?: Record<string, string>) => post(running.url, 'events', access_token, body, headers);
  return { ...running, send };
}

describe('POST /api/events', () => {
  it('accepts an event with 202 and no body, and returns the state of the minute', async () => {
    const { send, klaviyo } = await connected();
    const response = await send(eventBody({ value: 9.99, value_currency: 'EUR' }));
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(response.headers.get('ratelimit-limit')).toBe('3500');
    expect(response.headers.get('ratelimit-remaining')).toBe('3499');
    expect(klaviyo.events('SbX001')).toMatchObject([
      {
        sequence: 1,
        metric: 'Parcel Delivered',
        profile: { email: 'a@example.com' },
        properties: { carrier: 'PostNL' },
        time: '2026-08-01T11:59:00.000Z',
        value: 9.99,
        valueCurrency: 'EUR',
        uniqueId: 'delivery-1',
        via: 'single',
      },
    ]);
    expect(klaviyo.events('SbX002')).toEqual([]);
  });

  it.each([
    ['id', profile({}, '01PROFILE')],
    ['phone_number', profile({ phone_number: '+31612345678' })],
    ['external_id', profile({ external_id: 'customer-7' })],
    ['anonymous_id', profile({ anonymous_id: 'cookie' })],
  ])('knows a profile by %s', async (_name, who) => {
    const { send } = await connected();
    expect((await send(eventBody({ profile: who }))).status).toBe(202);
  });

  it('403 without events:write', async () => {
    const { send } = await connected('accounts:read');
    const response = await send(eventBody());
    expect(response.status).toBe(403);
    expect(response.headers.get('ratelimit-limit')).toBe('3500');
    expect(await response.json()).toMatchObject({ errors: [{ status: 403, code: 'permission_denied' }] });
  });

  it('415 for another content type', async () => {
    const { send } = await connected();
    expect((await send(eventBody(), { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await send(eventBody(), { 'content-type': 'application/json' })).status).toBe(202);
  });

  it('accepts 400 properties', async () => {
    const { send } = await connected();
    const properties = Object.fromEntries([...Array(400).keys()].map((n) => [`p${n}`, n]));
    expect((await send(eventBody({ properties }))).status).toBe(202);
  });

  it('400 for properties that nest too deeply', async () => {
    const { send } = await connected();
    const deep = (depth: number) =>
      JSON.stringify(eventBody({ properties: { deep: 'HERE' } })).replace('"HERE"', `${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect((await send(deep(20))).status).toBe(202);
    for (const depth of [4_400, 500_000]) expect((await send(deep(depth))).status).toBe(400);
  });

  it('413 for more than five million bytes', async () => {
    const { send } = await connected();
    const response = await send(eventBody({ properties: { long: 'x'.repeat(5_000_000) } }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ status: 413 }] });
  });

  const at = (field: string) => `/data/attributes/${field}`;
  it.each<[string, Record<string, unknown>, string]>([
    ['no properties', { properties: undefined }, at('properties')],
    ['401 properties', { properties: Object.fromEntries([...Array(401).keys()].map((n) => [`p${n}`, n])) }, at('properties')],
    ['a string of more than 100 KB', { properties: { a: { b: 'é'.repeat(50_001) } } }, at('properties/a/b')],
    ['no metric', { metric: undefined }, at('metric')],
    ['a metric name of 128 characters', { metric: metric('m'.repeat(128)) }, at('metric/data/attributes/name')],
    ['an empty metric name', { metric: metric('') }, at('metric/data/attributes/name')],
    ['no profile', { profile: undefined }, at('profile')],
    ['a profile that nobody is', { profile: profile({ first_name: 'Ann' }) }, at('profile/data')],
    ['a bad email', { profile: profile({ email: 'ann' }) }, at('profile/data/attributes/email')],
    [
      'a phone number not in E.164',
      { profile: profile({ phone_number: '0612345678' }) },
      at('profile/data/attributes/phone_number'),
    ],
    ['an unknown profile field', { profile: profile({ email: 'a@b.nl', mail: 'x' }) }, at('profile/data/attributes/mail')],
    [
      'a first name that is none',
      { profile: profile({ email: 'a@b.nl', first_name: 7 }) },
      at('profile/data/attributes/first_name'),
    ],
    [
      'profile properties that are a list',
      { profile: profile({ email: 'a@b.nl', properties: [] }) },
      at('profile/data/attributes/properties'),
    ],
    ['a backfill in words', { backfill: 'yes' }, at('backfill')],
    ['a time before 2000', { time: '1999-12-31T23:59:59Z' }, at('time')],
    ['a time more than a year ahead', { time: '2027-09-01T00:00:00Z' }, at('time')],
    ['a time that is none', { time: 'yesterday' }, at('time')],
    ['a value in words', { value: '9.99' }, at('value')],
    ['a currency in lower case', { value_currency: 'eur' }, at('value_currency')],
    ['a unique_id that is a number', { unique_id: 7 }, at('unique_id')],
    ['an unknown field', { uniqueId: 'x' }, at('uniqueId')],
  ])('400 for %s', async (_name, changes, pointer) => {
    const { send, klaviyo } = await connected();
    const response = await send(eventBody(changes));
    expect(response.status).toBe(400);
    expect(await pointers(response)).toEqual([pointer]);
    expect(klaviyo.counters.events).toBe(0);
  });

  it.each(['', 'no json', '[]', '{"data":{"type":"events","attributes":{}}}', '{"data":{"type":"event"}}'])(
    '400 for the body %j',
    async (body) => {
      const { send } = await connected();
      expect((await send(body)).status).toBe(400);
    },
  );
});

describe('repetitions', () => {
  it('the same unique_id for the same profile and metric is recorded once', async () => {
    const { send, klaviyo } = await connected();
    expect((await send(eventBody())).status).toBe(202);
    expect((await send(eventBody({ properties: { other: true } }))).status).toBe(202);
    expect(klaviyo.eventTotals('SbX001')).toEqual({ recorded: 1, duplicates: 1 });
    await send(eventBody({ metric: metric('Parcel In Transit') }));
    await send(eventBody({ profile: profile({ email: 'b@example.com' }) }));
    expect(klaviyo.eventTotals('SbX001')).toEqual({ recorded: 3, duplicates: 1 });
  });

  it('without a unique_id a profile has one event a second', async () => {
    const { send, klaviyo } = await connected();
    await send(eventBody({ unique_id: undefined }));
    await send(eventBody({ unique_id: undefined, metric: metric('Another') }));
    await send(eventBody({ unique_id: undefined, time: '2026-08-01T11:59:01Z' }));
    expect(klaviyo.eventTotals('SbX001')).toEqual({ recorded: 2, duplicates: 1 });
  });
});

describe('limits', () => {
  it('350 in a second, per account', async () => {
    const { send, url, advance } = await connected();
    const burst = await Promise.all([...Array(360).keys()].map((n) => send(eventBody({ unique_id: `u${n}` }))));
    expect(burst.filter((response) => response.status === 202)).toHaveLength(350);
    const refused = burst.find((response) => response.status === 429);
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(refused?.headers.has('ratelimit-limit')).toBe(false);
    const other = await install(url, 'SbX002');
    expect((await post(url, 'events', other.access_token, eventBody())).status).toBe(202);
    advance(1_000);
    expect((await send(eventBody({ unique_id: 'later' }))).status).toBe(202);
  });
});
