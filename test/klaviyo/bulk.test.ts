import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyRequest, fastify } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { Database } from '../../src/database/Database.js';
import { newId } from '../../src/database/newId.js';
import type { DeliveryJob } from '../../src/delivery/DeliveryJob.js';
import { toBulkRequests } from '../../src/klaviyo/bulkRequest.js';
import { createBoundedFetch } from '../../src/klaviyo/createBoundedFetch.js';
import { KlaviyoDestination } from '../../src/klaviyo/KlaviyoDestination.js';
import { KlaviyoRateLimits } from '../../src/klaviyo/KlaviyoRateLimits.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { testCipher } from '../support/testCipher.js';
import { parcelEvent, subscribe } from '../support/webhookFlow.js';

interface Sent {
  readonly path: string;
  readonly authorization: string;
  // biome-ignore lint/suspicious/noExplicitAny: the body's shape depends on the test
  readonly body: any;
}

type Said = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown };

const BULK = '/api/event-bulk-create-jobs';
const refusal = (...pointers: string[]) => ({
  status: 400,
  body: {
    errors: pointers.map((pointer) => ({
      id: '1',
      status: 400,
      code: 'invalid',
      title: 'Invalid input.',
      detail: 'No.',
      source: { pointer },
    })),
  },
});
const place = (profile: number, rest = '') => `/data/attributes/events-bulk-create/data/${profile}/attributes${rest}`;

describe('A bulk request (POST /api/event-bulk-create-jobs), to a Klaviyo with prepared responses', () => {
  let testDatabase: TestDatabase;
  let database: Database;
  let apiUrl: string;
  const sent: Sent[] = [];
  let say: (sent: Sent, count: number) => Said | Promise<Said> = () => ({ status: 202 });
  const app = fastify({ forceCloseConnections: true, bodyLimit: 6_000_000 });
  app.addContentTypeParser('application/vnd.api+json', { parseAs: 'string' }, (_, body, done) =>
    done(null, JSON.parse(String(body))),
  );
  app.post('/api/*', async ({ url, headers, body }: FastifyRequest, reply) => {
    const request = { path: url, authorization: headers.authorization ?? '', body };
    sent.push(request);
    const { status, headers: more = {}, body: answer = '' } = await say(request, sent.length);
    return reply
      .code(status)
      .headers(more)
      .type('application/vnd.api+json')
      .send(answer === '' ? '' : JSON.stringify(answer));
  });

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = await Database.open({ url: testDatabase.url, poolSize: 2 });
    apiUrl = await app.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => {
    sent.length = 0;
    say = () => ({ status: 202 });
  });
  afterAll(async () => {
    await app.close();
    await database.close();
    await testDatabase.drop();
  });

  let connections = 0;
  const missing: unknown[] = [];
  /** Creates a destination for an account that no other test uses. */
  function destinationOf(timeoutMs = 5_000) {
    connections += 1;
    const accountId = `Bulk${connections}`;
    const destination = new KlaviyoDestination({
      ...{ apiUrl, revision: '2026-07-15', cipher: testCipher },
      fetch: createBoundedFetch({ timeoutMs, maxBodyBytes: 1024 * 1024 }),
      limits: new KlaviyoRateLimits(database),
      backfillAfterMs: 86_400_000,
      accessToken: async (_, refused) => ({ token: refused ? 'newer' : 'first', version: refused ? 2 : 1, accountId }),
      scopeMissing: async (...scope) => void missing.push(scope),
    });
    return { accountId, deliver: (jobs: DeliveryJob[]) => destination.batch.deliver(jobs, new AbortController().signal) };
  }

  function jobOf(email: string | null, parcelId = 1, payload: object = parcelEvent(parcelId)): DeliveryJob {
    const id = newId();
    const recipient = email === null ? null : testCipher.encrypt(JSON.stringify({ email }), columnIdentity.recipient(id));
    const event = {
      ...{ id, eventType: 'parcels.event.created', payload: JSON.stringify(payload), recipient, createdAt: new Date() },
      ...{ occurredAt: null, value: null, valueCurrency: null, properties: null, isTest: false },
    };
    return { deliveryId: newId(), attemptNumber: 1, event, connection: { id: connections } } as unknown as DeliveryJob;
  }
  const kinds = (results: readonly { readonly kind: string }[]) => results.map(({ kind }) => kind);

  it('has each profile once, with its events in their order', async () => {
    const { deliver } = destinationOf();
    const jobs = [jobOf('a@example.com', 1), jobOf('b@example.com', 2), jobOf('a@example.com', 3)];
    expect(await deliver(jobs)).toMatchObject(jobs.map(() => ({ kind: 'delivered', attempt: { statusCode: 202, error: null } })));
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({
      path: BULK,
      authorization: 'Bearer first',
      body: { data: { type: 'event-bulk-create-job', attributes: { 'events-bulk-create': { data: [{}, {}] } } } },
    });
    const [first, second] = (sent[0] as Sent).body.data.attributes['events-bulk-create'].data;
    expect(first).toMatchObject({
      type: 'event-bulk-create',
      attributes: { profile: { data: { type: 'profile', attributes: { email: 'a@example.com' } } } },
    });
    expect(first.attributes.events.data.map((event: Sent['body']) => event.attributes.properties.ParcelId)).toEqual(['1', '3']);
    expect(first.attributes.events.data[0]).toMatchObject({
      type: 'event',
      attributes: { unique_id: expect.any(String), time: expect.any(String), metric: { data: { type: 'metric' } } },
    });
    expect(first.attributes.events.data[0].attributes).not.toHaveProperty('profile');
    expect(second.attributes.events.data).toHaveLength(1);
  });

  it('leaves out events that Klaviyo would refuse, and those that cannot be decrypted', async () => {
    const { deliver } = destinationOf();
    const unreadable = jobOf('c@example.com');
    const broken = { ...unreadable, event: { ...unreadable.event, recipient: 'not encrypted' } };
    const results = await deliver([jobOf(null), jobOf('a@example.com'), broken]);
    expect(kinds(results)).toEqual(['failed', 'delivered', 'alone']);
    expect(results[0]).toMatchObject({ attempt: { statusCode: null, error: { code: 'recipient_missing' } } });
    expect(sent).toHaveLength(1);
  });

  it('never has one unique_id twice: the second goes alone', async () => {
    const { deliver } = destinationOf();
    const job = jobOf('a@example.com');
    expect(kinds(await deliver([job, { ...job }, jobOf('b@example.com')]))).toEqual(['delivered', 'alone', 'delivered']);
  });

  it('that is refused with named events is sent again without them; they go alone', async () => {
    const { deliver } = destinationOf();
    say = (_, count) =>
      count === 1
        ? refusal(place(1, '/profile/data/attributes/email'), place(0, '/events/data/1/attributes/time'))
        : { status: 202 };
    const jobs = [jobOf('a@example.com', 1), jobOf('a@example.com', 2), jobOf('b@example.com', 3), jobOf('c@example.com', 4)];
    expect(kinds(await deliver(jobs))).toEqual(['delivered', 'alone', 'alone', 'delivered']);
    expect(sent).toHaveLength(2);
  });

  it.each<[string, Said]>([
    ['without saying which', refusal('/data/attributes/events-bulk-create/data')],
    ['for all of them', refusal(place(0), place(1), place(2))],
    ['for some that are not there', refusal(place(77), '/data/elsewhere')],
    ['as too large', { status: 413, body: { errors: [{ code: 'too_large', detail: 'Too large.' }] } }],
  ])('that is refused %s is followed by each event alone', async (_, said) => {
    const { deliver } = destinationOf();
    say = () => said;
    expect(kinds(await deliver([jobOf('a@example.com'), jobOf('b@example.com'), jobOf('c@example.com')]))).toEqual(
      Array(3).fill('alone'),
    );
    expect(sent).toHaveLength(1);
  });

  it('that is refused again is followed by each event alone', async () => {
    const { deliver } = destinationOf();
    say = () => refusal(place(0));
    expect(kinds(await deliver([jobOf('a@example.com'), jobOf('b@example.com'), jobOf('c@example.com')]))).toEqual(
      Array(3).fill('alone'),
    );
    expect(sent).toHaveLength(2);
  });

  it('has its token renewed once (RFC 6750 3.1)', async () => {
    const { deliver } = destinationOf();
    say = ({ authorization }) => ({ status: authorization === 'Bearer newer' ? 202 : 401 });
    expect(kinds(await deliver([jobOf('a@example.com'), jobOf('b@example.com')]))).toEqual(['delivered', 'delivered']);
    expect(sent.map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer newer']);
  });

  it.each<[string, Said, object]>([
    [
      '403 for want of a scope: they are held',
      { status: 403, body: { errors: [{ code: 'permission_denied' }] } },
      { kind: 'hold' },
    ],
    ['429: they wait', { status: 429, headers: { 'retry-after': '7' } }, { kind: 'throttled', forMs: 7_000 }],
    ['500: they are retried', { status: 500 }, { kind: 'retry', attempt: { statusCode: 500, error: { code: 'bad_status' } } }],
    ['502 with HTML: they are retried', { status: 502, body: '<html>' }, { kind: 'retry', attempt: { statusCode: 502 } }],
  ])('answered %s gives each event that result', async (_, said, result) => {
    const { deliver, accountId } = destinationOf();
    missing.length = 0;
    say = () => said;
    expect(await deliver([jobOf('a@example.com'), jobOf('b@example.com')])).toMatchObject([result, result]);
    expect(missing).toHaveLength(said.status === 403 ? 1 : 0);
    if (said.status !== 429) return;
    // For other processes too, and for bulk requests only.
    expect(await new KlaviyoRateLimits(database).take(accountId, 'bulk')).toBeGreaterThan(1_000);
    expect(await new KlaviyoRateLimits(database).take(accountId, 'events')).toBe(0);
  });

  it('without an answer in time is retried', async () => {
    const { deliver } = destinationOf(300);
    say = async () => {
      await sleep(1_000);
      return { status: 202 };
    };
    const retry = { kind: 'retry', attempt: { statusCode: null, error: { code: 'timeout' } } };
    expect(await deliver([jobOf('a@example.com'), jobOf('b@example.com')])).toMatchObject([retry, retry]);
  });

  it('has at most 5 MB, and splitting loses no event', () => {
    const items = Array.from({ length: 120 }, (_, n) => {
      const profile = { data: { type: 'profile' as const, attributes: { email: `${n % 7}@example.com` } } };
      const metric = { data: { type: 'metric' as const, attributes: { name: 'Heavy' } } };
      const attributes = {
        properties: { note: 'é'.repeat(49_000) },
        time: '2026-01-15T10:30:00Z',
        unique_id: `${n}`,
        metric,
        profile,
      };
      return { event: { data: { type: 'event' as const, attributes } } };
    });
    const requests = toBulkRequests(items);
    expect(requests).toHaveLength(3);
    for (const { body } of requests) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(5_000_000);
    expect(new Set(requests.flatMap(({ profiles }) => profiles.flat()))).toEqual(new Set(items));
  });
});

describe('Many events for one Klaviyo account, from publishing to arrival', () => {
  let switchboard: TestSwitchboard;
  beforeAll(async () => {
    switchboard = await startSwitchboard({ DELIVERY_RETRY_DELAYS: '200ms,200ms,200ms' });
  });
  afterEach(() => switchboard.sandbox?.klaviyo.clearFaults());
  afterAll(() => switchboard.close());

  const COUNT = 400;
  const PUBLISH =
    'mutation ($events: [PublishEventInput!]!) { publishEvents(input: { events: $events }) { userErrors { code message } } }';

  async function published(before: () => void = () => {}) {
    const klaviyo = switchboard.sandbox?.klaviyo;
    if (!klaviyo) throw new Error('No sandbox.');
    const client = await switchboard.anotherOrganization();
    const account = klaviyo.addAccount({ name: 'A shop' }).id;
    const connectionId = await connectKlaviyo(client, account);
    await subscribe(client, connectionId);
    klaviyo.resetCounters();
    before();
    const events = Array.from({ length: COUNT }, (_, n) => ({
      eventType: 'parcels.event.created',
      data: parcelEvent(n),
      recipient: { email: `customer.${n % 90}@example.com` },
    }));
    await client.query(PUBLISH, { events });
    const counts = async () =>
      Object.fromEntries(
        (
          await switchboard.sql('select status, count(*)::int as count from deliveries where connection_id = ? group by status', [
            connectionId,
          ])
        ).map(({ status, count }) => [status, count]),
      );
    await eventually(async () => expect(await counts()).toEqual({ delivered: COUNT }), { withinMs: 60_000 });
    return { client, klaviyo, account, connectionId, counts };
  }

  it('take few requests; each delivery has its attempt; the remaining quota can be read', async () => {
    const { client, klaviyo, account, connectionId } = await published();
    expect(klaviyo.eventTotals(account)).toEqual({ recorded: COUNT, duplicates: 0 });
    const { bulkRequests, eventRequests, throttled } = klaviyo.counters;
    expect(bulkRequests).toBeGreaterThan(0);
    expect(bulkRequests + eventRequests).toBeLessThan(COUNT / 2);
    expect(throttled).toBe(0);
    const attempts = await switchboard.sql(
      `select a.status_code, a.number, a.error_code from attempts a join deliveries d on d.id = a.delivery_id where d.connection_id = ?`,
      [connectionId],
    );
    expect(attempts).toEqual(Array(COUNT).fill({ status_code: 202, number: 1, error_code: null }));

    const quota = 'perSecondLimit perSecondRemaining perMinuteLimit perMinuteRemaining resetsAt pausedUntil';
    const { connections } = await client.query(
      `{ connections { edges { node { configuration { ... on KlaviyoConfiguration { quota { ${quota} } bulkQuota { ${quota} } } } } } } }`,
    );
    const { bulkQuota } = connections.edges[0].node.configuration;
    expect(bulkQuota).toMatchObject({ perSecondLimit: 10, perMinuteLimit: 150, pausedUntil: null });
    expect(bulkQuota.perMinuteRemaining).toBeLessThanOrEqual(150);
    const fresh = await connectKlaviyo(client, klaviyo.addAccount({ name: 'Another' }).id);
    const { connection } = await client.query(
      `query ($id: ID!) { connection(id: $id) { configuration { ... on KlaviyoConfiguration { quota { ${quota} } bulkQuota { ${quota} } } } } }`,
      { id: fresh },
    );
    expect(connection.configuration).toEqual({ quota: null, bulkQuota: null });
  }, 90_000);

  it('are recorded once when responses are lost: events that may have arrived go alone', async () => {
    const { klaviyo, account } = await published(() => {
      switchboard.sandbox?.klaviyo.inject({ kind: 'reset', target: 'api', count: 2, afterEffect: true });
    });
    expect(klaviyo.eventTotals(account).recorded).toBe(COUNT);
  }, 90_000);

  it('are recorded once after a crash before any result was stored: the repeated batch is refused as a whole', async () => {
    const { klaviyo, account, connectionId, counts } = await published();
    klaviyo.resetCounters();
    await switchboard.sql('delete from attempts where delivery_id in (select id from deliveries where connection_id = ?)', [
      connectionId,
    ]);
    await switchboard.sql("update deliveries set status = 'pending', attempt_count = 0, due_at = now() where connection_id = ?", [
      connectionId,
    ]);
    await eventually(async () => expect(await counts()).toEqual({ delivered: COUNT }), { withinMs: 60_000 });
    expect(klaviyo.eventTotals(account)).toEqual({ recorded: COUNT, duplicates: COUNT });
    expect(klaviyo.counters.bulkRequests).toBeGreaterThan(0);
    expect(
      await switchboard.sql('select from attempts a join deliveries d on d.id = a.delivery_id where d.connection_id = ?', [
        connectionId,
      ]),
    ).toHaveLength(COUNT);
  }, 90_000);
});
