import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startOwnPostgres, whySkipped } from '../support/debianServers.js';
import { eventually } from '../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../support/webhookFlow.js';

const ready = async ({ publicUrl }: TestSwitchboard) => {
  const answer = await fetch(`${publicUrl}/health/ready`);
  return { status: answer.status, body: (await answer.json()) as object };
};

/** Causes everything that may take a connection, all at once, for a while. */
async function strain({ client, publicUrl }: TestSwitchboard): Promise<void> {
  const id = await createWebhookConnection(client, `${publicUrl}/sandbox/inbox/strained`);
  await subscribe(client, id);
  await Promise.all(
    Array.from({ length: 150 }, async (_, index) => {
      if (index % 3 === 0) await publish(client);
      else
        await client.query('{ deliveries(first: 5) { totalCount edges { node { id event { id } connection { problem } } } } }');
    }),
  );
}

describe('The connections of a process', () => {
  it.each([
    ['all', 13],
    ['api', 5],
    ['worker', 9],
  ])('with ROLE=%s are those of its pool and at most %i more', async (role, more) => {
    const first = await startSwitchboard({ DATABASE_POOL_SIZE: '4' });
    const second = await startSwitchboard({ DATABASE_POOL_SIZE: '4', ROLE: role }, first.testDatabase);
    // Uses a connection of its own, which is not counted.
    const watcher = new pg.Client({ connectionString: first.testDatabase.url, application_name: 'watcher' });
    await watcher.connect();
    let most = 0;
    let ended = false;
    const count = (async () => {
      while (!ended) {
        const { rows } = await watcher.query<{ count: number }>(
          "select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name <> 'watcher'",
        );
        most = Math.max(most, rows[0]?.count ?? 0);
      }
    })();
    if (role !== 'worker') await strain(second);
    else await strain(first);
    ended = true;
    await count;
    await watcher.end();
    await second.close();
    await first.close();
    // The first part is the count for a whole server.
    expect(most).toBeLessThanOrEqual(4 + 13 + 4 + more);
    expect(most).toBeGreaterThan(4 + 4);
  });
});

const skipped = whySkipped('postgres');

describe.skipIf(skipped)(`A Postgres that has too many clients ${skipped ?? ''}`, () => {
  it('is reported as such to callers and in readiness, and is used again when some have left', async () => {
    const server = await startOwnPostgres({
      hba: ['host all all 127.0.0.1/32 trust'],
      settings: { max_connections: '30' },
    });
    const url = `postgres://switchboard@127.0.0.1:${server.port}/postgres`;
    const switchboard = await startSwitchboard({ ROLE: 'api' }, { url, drop: async () => {} });
    const others: pg.Client[] = [];
    try {
      await switchboard.sql('select 1');
      const admin = new pg.Client({ connectionString: url });
      others.push(admin);
      admin.on('error', () => {});
      await admin.connect();
      await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'switchboard'");
      await expect(
        (async () => {
          for (;;) {
            const other = new pg.Client({ connectionString: url });
            other.on('error', () => {});
            await other.connect();
            others.push(other);
          }
        })(),
      ).rejects.toThrow(/too many clients/);
      expect((await switchboard.client.send('{ connections { totalCount } }')).errors).toMatchObject([
        { message: expect.stringContaining('too many clients'), extensions: { code: 'SERVICE_UNAVAILABLE' } },
      ]);
      expect(await ready(switchboard)).toMatchObject({
        status: 503,
        body: { status: 'unavailable', database: 'too_many_clients' },
      });
      await Promise.all(others.splice(0).map((other) => other.end()));
      await eventually(async () => expect(await ready(switchboard)).toMatchObject({ status: 200 }));
      expect((await switchboard.client.send('{ connections { totalCount } }')).errors).toBeUndefined();
    } finally {
      await Promise.all(others.map((other) => other.end().catch(() => {})));
      await switchboard.close();
      await server.stop();
    }
  });
});
