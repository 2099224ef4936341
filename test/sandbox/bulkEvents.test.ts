import { describe, expect, it } from 'vitest';
import { bulkBody, eventBody, pointers, post } from './support/eventRequests.js';
import { install } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

async function connected() {
  const running = await startSandbox();
  const { access_token } = await install(running.url, 'SbX001');
  const send = (path: string, body: unknown) => post(running.url, path, access_token, body);
  return { ...running, sendBulk: (body: unknown) => send('event-bulk-create-jobs', body), send };
}

const many = (count: number) => [...Array(count).keys()].map((n) => ({ unique_id: `u${n}` }));

describe('POST /api/event-bulk-create-jobs', () => {
  it('accepts 1,000 events of several profiles', async () => {
    const { sendBulk, klaviyo } = await connected();
    const events = many(1_000);
    const response = await sendBulk(
      bulkBody({ email: 'a@example.com', events: events.slice(0, 400) }, { email: 'b@example.com', events: events.slice(400) }),
    );
    expect(response.status).toBe(202);
    expect(klaviyo.eventTotals('SbX001')).toEqual({ recorded: 1_000, duplicates: 0 });
    expect(klaviyo.events('SbX001').at(-1)).toMatchObject({ via: 'bulk', profile: { email: 'b@example.com' } });
  });

  it('refuses 1,001', async () => {
    const { sendBulk, klaviyo } = await connected();
    expect((await sendBulk(bulkBody({ email: 'a@example.com', events: many(1_001) }))).status).toBe(400);
    expect(klaviyo.counters.events).toBe(0);
  });

  it('refuses everything when a unique_id occurs twice', async () => {
    const { sendBulk, klaviyo } = await connected();
    const events = [{ unique_id: 'a' }, { unique_id: 'b' }, { unique_id: 'a' }];
    expect((await sendBulk(bulkBody({ email: 'a@example.com', events }))).status).toBe(400);
    expect(klaviyo.counters.events).toBe(0);
  });

  it('refuses everything when a unique_id was recorded before', async () => {
    const { sendBulk, send, klaviyo } = await connected();
    await send('events', eventBody({ unique_id: 'a' }));
    const events = [{ unique_id: 'a' }, { unique_id: 'b' }];
    expect((await sendBulk(bulkBody({ email: 'a@example.com', events }))).status).toBe(400);
    expect(klaviyo.eventTotals('SbX001').recorded).toBe(1);
  });

  it('points at the invalid field', async () => {
    const { sendBulk } = await connected();
    const response = await sendBulk(bulkBody({ email: 'a@example.com', events: [{}, { unique_id: 'b', value: 'much' }] }));
    expect(response.status).toBe(400);
    expect(await pointers(response)).toEqual([
      '/data/attributes/events-bulk-create/data/0/attributes/events/data/1/attributes/value',
    ]);
  });

  it('accepts ten in a second', async () => {
    const { sendBulk } = await connected();
    const jobs = [...Array(11).keys()].map((n) => bulkBody({ email: 'a@example.com', events: [{ unique_id: `u${n}` }] }));
    const statuses = (await Promise.all(jobs.map(sendBulk))).map((response) => response.status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });
});
