import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { type OwnServer, startPgBouncer, whySkipped } from '../support/debianServers.js';
import { eventually } from '../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, subscribe } from '../support/webhookFlow.js';

const skipped = whySkipped('pgbouncer');
const EVENTS = 200;

const PUBLISH = 'mutation ($events: [PublishEventInput!]!) { publishEvents(input: { events: $events }) { userErrors { code } } }';
const events = Array.from({ length: EVENTS }, (_, index) => ({
  eventType: 'parcels.event.created',
  data: parcelEvent(index + 1),
}));
const WATCH = 'subscription ($id: ID) { deliveryUpdated(connectionId: $id) { id status } }';

const ready = async ({ publicUrl }: TestSwitchboard) =>
  (await (await fetch(`${publicUrl}/health/ready`)).json()) as { status: string; alarms: { name: string; message: string }[] };

describe.skipIf(skipped)(`With PgBouncer in transaction mode in between ${skipped ?? ''}`, () => {
  let pooler: OwnServer;
  /** An empty database, so that its migrations also go through the pooler. */
  const name = `switchboard_pooled_${randomBytes(6).toString('hex')}`;
  let direct: string;
  let pooled: string;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  beforeAll(async () => {
    pooler = await startPgBouncer(inject('postgresUrl'));
    await admin(`create database ${name}`);
    direct = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href;
    pooled = `postgres://anybody@127.0.0.1:${pooler.port}/${name}`;
  });
  afterAll(async () => {
    await pooler?.stop();
    await admin(`drop database if exists ${name} with (force)`);
  });
  const start = (environment: Record<string, string> = {}) =>
    startSwitchboard(environment, { url: pooled, drop: async () => {} });

  it('and DATABASE_DIRECT_URL past it, two processes deliver everything, and every live update arrives', async () => {
    const one = await start({ DATABASE_DIRECT_URL: direct });
    const two = await start({ DATABASE_DIRECT_URL: direct });
    try {
      const { client } = one;
      const id = await createWebhookConnection(client, `${one.publicUrl}/sandbox/inbox/pooled`);
      await subscribe(client, id);
      const live = LiveClient.of(client);
      const { seen } = live.watch(WATCH, { id });
      await eventually(async () => expect(await one.sql('select 1 from live_watchers')).toHaveLength(1));
      await client.query(PUBLISH, { events });
      await eventually(() => {
        const delivered = seen.filter(({ data }) => data.deliveryUpdated.status === 'DELIVERED');
        expect(new Set(delivered.map(({ data }) => data.deliveryUpdated.id)).size).toBe(EVENTS);
      });
      expect(one.sandbox?.inbox.total('pooled')).toBe(EVENTS);
      for (const server of [one, two]) expect(await ready(server)).toMatchObject({ status: 'ok', alarms: [] });
      // Sessions of our own bypass the pooler; everything else goes through it.
      const sessions = await one.sql(`
        select distinct application_name as name from pg_stat_activity
        where datname = current_database() and application_name like 'switchboard-%' order by 1`);
      expect(sessions.map(({ name: session }) => session)).toEqual([
        'switchboard-claims',
        'switchboard-jobs',
        'switchboard-listener',
        'switchboard-outcomes',
        'switchboard-results',
      ]);
      await live.close();
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  it('but without DATABASE_DIRECT_URL, readiness reports that notifications do not arrive, and new watches are refused', async () => {
    const server = await start();
    try {
      await eventually(
        async () =>
          expect(await ready(server)).toMatchObject({
            status: 'degraded',
            alarms: expect.arrayContaining([
              expect.objectContaining({
                name: 'deaf-switchboard_deliveries',
                message: expect.stringContaining('set DATABASE_DIRECT_URL'),
              }),
            ]),
          }),
        { withinMs: 15_000 },
      );
      const live = LiveClient.of(server.client);
      await live.watch(WATCH).ended;
      expect(live.closes).toEqual([1013]);
      await live.close();
    } finally {
      await server.close();
    }
  });
});
