import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { createTestDatabase } from '../support/createTestDatabase.js';

/** A close that hangs makes the test time out. */
async function openDatabase() {
  const { url, drop } = await createTestDatabase();
  onTestFinished(drop);
  const database = await Database.open({ url, poolSize: 3 });
  await sql`select 1`.execute(database.sql());
  return database;
}

it('A database that closes first completes statements on connections that are still being opened', async () => {
  const database = await openDatabase();
  const asked = Array.from({ length: 5 }, (_, index) => sql<{ n: number }>`select ${index}::int as n`.execute(database.sql()));
  await setImmediate();
  await database.close();
  expect((await Promise.all(asked)).map(({ rows }) => rows[0]?.n)).toEqual([0, 1, 2, 3, 4]);
});

it('A database that closes cuts off statements that take too long, and opens no more connections', async () => {
  const database = await openDatabase();
  const asked = sql`select pg_sleep(29)`.execute(database.sql()).catch((error: Error) => error.message);
  await setImmediate();
  await database.close();
  expect(await asked).toMatch(/terminated/i);
  await expect(sql`select 1`.execute(database.sql())).rejects.toThrow('after calling end');
});
