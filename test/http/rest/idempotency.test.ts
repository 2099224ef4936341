import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepAccess } from '../../../src/access/limits.js';
import { createTestDatabase, type TestDatabase } from '../../support/createTestDatabase.js';
import { eventually } from '../../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from './support/RestClient.js';

// Two servers on one database, as two processes are.
let shared: TestDatabase;
let one: TestSwitchboard;
let two: TestSwitchboard;
let first: RestClient;
let second: RestClient;
let hits = 0;
let answer: () => void = () => {};
const receiver = createServer((_request, response) => {
  hits += 1;
  answer = () => response.end(`hit ${hits}`);
}).listen(0, '127.0.0.1');
beforeAll(async () => {
  shared = await createTestDatabase();
  one = await startSwitchboard({ ROLE: 'api' }, shared);
  two = await startSwitchboard({ ROLE: 'api' }, shared);
  first = new RestClient(one.publicUrl, one.client.authorization);
  second = new RestClient(two.publicUrl, one.client.authorization);
});
afterAll(async () => {
  receiver.close();
  await Promise.all([one.close(), two.close()]);
  await shared.drop();
});

const SECRET = 'a-secret-that-is-sent-0123456789';
const body = (token = SECRET) => ({
  type: 'webhook',
  configuration: { url: 'https://example.com/', auth_type: 'bearer', auth_config: { token } },
});
const post = (rest: RestClient, path: string, sent: unknown, key: string) =>
  rest.send('POST', path, sent, { 'idempotency-key': key });
const count = async () => (await first.get('/connections')).body.data.length as number;

describe('POST with an Idempotency-Key', () => {
  it('is done once: every repetition, at any server, gets the first response', async () => {
    const before = await count();
    const created = await post(first, '/connections', body(), 'again');
    expect(created.status).toBe(201);
    const { configuration, type } = body();
    for (const rest of [first, second]) {
      // The order of the fields does not matter.
      const repeated = await post(rest, '/connections', { configuration, type }, 'again');
      expect(repeated).toMatchObject({ status: 201, body: created.body });
      expect(repeated.headers.get('location')).toBe(created.headers.get('location'));
      expect(repeated.headers.get('content-type')).toBe(created.headers.get('content-type'));
    }
    expect(await count()).toBe(before + 1);
  });

  it('is done once when sent twenty times at once to two servers: the others get the same response or 409', async () => {
    for (const round of [1, 2, 3]) {
      const before = await count();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => post(index % 2 ? first : second, '/connections', body(), `race ${round}`)),
      );
      const good = answers.filter(({ status }) => status === 201);
      expect(good.length).toBeGreaterThanOrEqual(1);
      expect(new Set(good.map((one) => JSON.stringify(one.body)))).toHaveLength(1);
      for (const one of answers.filter(({ status }) => status !== 201)) {
        expect(one).toMatchObject({ status: 409, body: { errors: [{ status: '409', source: { header: 'Idempotency-Key' } }] } });
        expect(one.headers.get('retry-after')).toBe('1');
      }
      expect(await count()).toBe(before + 1);
    }
  });

  it('is 409 while the first request is under way, and then the same response', async () => {
    const url = `http://127.0.0.1:${(receiver.address() as { port: number }).port}/`;
    const connection = await first.post('/connections', { type: 'webhook', configuration: { url } });
    const created = await post(
      first,
      '/subscriptions',
      { connection_id: connection.body.data.id, event_type: 'parcels.event.created' },
      'subscribe',
    );
    expect(created.status).toBe(201);
    const path = `/broadcast/test/${created.body.data.id}`;
    const sending = post(first, path, undefined, 'broadcast');
    await eventually(() => expect(hits).toBe(1));
    expect(await post(second, path, undefined, 'broadcast')).toMatchObject({ status: 409 });
    answer();
    const sent = await sending;
    expect(sent).toMatchObject({ status: 200, body: { data: { response_body: 'hit 1' } } });
    expect(await post(second, path, undefined, 'broadcast')).toMatchObject({ status: 200, body: sent.body });
    expect(hits).toBe(1);
  });

  it('is 422 with another body, or at another address', async () => {
    expect(await post(first, '/connections', body(), 'mine')).toMatchObject({ status: 201 });
    const others = [
      await post(second, '/connections', body('other'), 'mine'),
      await post(first, '/subscriptions', { connection_id: 1, event_type: 'parcels.event.created' }, 'mine'),
    ];
    for (const other of others) {
      expect(other).toMatchObject({
        status: 422,
        body: { errors: [{ status: '422', code: 'invalid', source: { header: 'Idempotency-Key' } }] },
      });
    }
  });

  it('whose request failed has changed nothing, and may be used again', async () => {
    const subscription = { connection_id: 987_654, event_type: 'parcels.event.created' };
    expect(await post(first, '/subscriptions', subscription, 'later')).toMatchObject({ status: 400 });
    const { id } = (await first.post('/connections', body())).body.data;
    expect(await post(first, '/subscriptions', { ...subscription, connection_id: id }, 'later')).toMatchObject({ status: 201 });
  });

  it('belongs to its organization: the same key of another organization is independent', async () => {
    const before = await post(first, '/connections', body(), 'ours');
    const stranger = new RestClient(two.publicUrl, (await two.anotherOrganization()).authorization);
    const theirs = await post(stranger, '/connections', body('theirs'), 'ours');
    expect(theirs.status).toBe(201);
    expect(theirs.body.data.id).not.toBe(before.body.data.id);
  });

  it('is valid for a day, and deleted afterwards', async () => {
    const created = await post(first, '/connections', body(), 'old');
    await one.sql("update idempotent_requests set expires_at = now() - interval '1 second'");
    const anew = await post(first, '/connections', body('other'), 'old');
    expect(anew.status).toBe(201);
    expect(anew.body.data.id).not.toBe(created.body.data.id);
    expect(await sweepAccess({ database: one.database })).toBeGreaterThan(0);
    expect(await one.sql('select key from idempotent_requests')).toEqual([{ key: 'old' }]);
  });

  it('whose process died is not done again, and the response says so', async () => {
    await post(first, '/connections', body(), 'dead');
    await one.sql("update idempotent_requests set answer = null, created_at = now() - interval '61 seconds' where key = 'dead'");
    const before = await count();
    const { status, headers, body: said } = await post(second, '/connections', body(), 'dead');
    expect(status).toBe(409);
    expect(headers.get('retry-after')).toBeNull();
    expect(said.errors[0].detail).toContain('interrupted');
    expect(await count()).toBe(before);
  });

  it.each(['', 'ä', 'x'.repeat(256)])('refuses a malformed key: %j', async (key) => {
    const refused = await fetch(`${one.publicUrl}/api/v3/event-subscriptions/connections`, {
      method: 'POST',
      headers: { authorization: one.client.authorization, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body()),
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'invalid', source: { header: 'Idempotency-Key' } }] });
  });

  it('stores no secret and no response in the clear', async () => {
    await post(first, '/connections', body(), 'secret');
    const rows = JSON.stringify(await one.sql('select * from idempotent_requests'));
    expect(rows).toContain('secret');
    expect(rows).not.toContain(SECRET);
    expect(rows).not.toContain('example.com');
  });
});
