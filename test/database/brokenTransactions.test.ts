import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { expect, it } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { createTestDatabase } from '../support/createTestDatabase.js';

it('Transactions during a restart of Postgres cost the pool no connection: it works afterwards, and it closes', async () => {
  const { url, drop } = await createTestDatabase();
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const database = await Database.open({ url, poolSize: 3 });
  let stopped = false;
  let failed = 0;
  const work = async (): Promise<void> => {
    while (!stopped) {
      await database
        .transaction((em) => sql`select pg_sleep(0.005)`.execute(em.getKysely()))
        .catch(() => {
          failed++;
        });
    }
  };
  const workers = Array.from({ length: 6 }, work);
  for (let round = 0; round < 15; round++) {
    await sleep(30);
    await admin.query(`
      select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`);
  }
  stopped = true;
  await Promise.all(workers);
  expect(failed).toBeGreaterThan(3);
  const all = Array.from({ length: 3 }, () => database.transaction((em) => sql`select 1`.execute(em.getKysely())));
  await expect(Promise.all(all)).resolves.toHaveLength(3);
  await database.close();
  await admin.end();
  await drop();
});
