import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { parcelEvent } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  // Simulates Postgres's error, because a disk that is really full would break the other tests.
  await switchboard.sql(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      raise exception 'could not extend file: No space left on device' using errcode = tg_argv[0];
    end $$`);
});
afterAll(() => switchboard.close());

async function refuseWrites(code: string): Promise<() => Promise<void>> {
  for (const table of ['events', 'storage_probes', 'connections']) {
    await switchboard.sql(`create trigger refuse before insert on ${table} execute function refuse('${code}')`);
  }
  return async () => {
    for (const table of ['events', 'storage_probes', 'connections']) await switchboard.sql(`drop trigger refuse on ${table}`);
  };
}

const ready = async () => {
  const answer = await fetch(`${switchboard.publicUrl}/health/ready`);
  return { status: answer.status, body: (await answer.json()) as object };
};
const PUBLISH = 'mutation ($input: PublishEventInput!) { publishEvent(input: $input) { event { id } } }';
const publish = () => switchboard.client.send(PUBLISH, { input: { eventType: 'parcels.event.created', data: parcelEvent() } });

describe('While the disk of Postgres is full', () => {
  it('publishing answers 503 with a code of its own, readiness and metrics say so, and both recover by themselves', async () => {
    const end = await refuseWrites('53100');
    const answer = await publish();
    expect(answer).toMatchObject({
      status: 503,
      errors: [{ message: expect.stringContaining('no room left'), extensions: { code: 'STORAGE_FULL' } }],
    });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(await ready()).toMatchObject({
      status: 200,
      body: { status: 'degraded', database: 'full', alarms: [{ name: 'storage-full' }] },
    });
    expect(await (await fetch(`${switchboard.publicUrl}/metrics`)).text()).toContain('switchboard_alarm{name="storage-full"} 1');

    const rest = await fetch(`${switchboard.publicUrl}/api/v3/event-subscriptions/connections`, {
      method: 'POST',
      headers: { authorization: switchboard.client.authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'webhook', configuration: { url: 'https://hooks.example.com/' } }),
    });
    expect(rest.status).toBe(503);
    expect((await switchboard.client.send('{ connections { totalCount } }')).errors).toBeUndefined();

    await end();
    expect((await publish()).errors).toBeUndefined();
    await eventually(async () => expect(await ready()).toMatchObject({ body: { status: 'ok', database: 'ok', alarms: [] } }), {
      withinMs: 15_000,
    });
  });
});

describe('A Postgres that accepts no changes', () => {
  it('answers 503, and says that nothing was stored', async () => {
    const end = await refuseWrites('25006');
    expect(await publish()).toMatchObject({
      status: 503,
      errors: [{ message: expect.stringContaining('takes no changes'), extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    await end();
  });
});
