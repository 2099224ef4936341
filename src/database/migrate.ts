import type { Database } from './Database.js';

/** Key of the advisory lock. Any number works if every process uses the same one. */
const MIGRATION_LOCK = 7_240_911;

/**
 * Migrates the schema and returns the names of the migrations that ran. Several processes may start at once: a session-level
 * advisory lock lets one migrate while the others wait.
 */
export async function migrate(database: Database): Promise<string[]> {
  const lock = database.session('switchboard-lock');
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const done = await database.orm.migrator.up();
    return done.map(({ name }) => name);
  } finally {
    await lock.end();
  }
}

/**
 * Does the work unless it is in progress already, in this process or another; then returns null. The lock belongs to a session,
 * so it ends when a process crashes.
 */
export async function runAlone<T>(database: Database, lock: number, work: () => Promise<T>): Promise<T | null> {
  const session = database.session('switchboard-lock');
  // When Postgres goes away, the work fails too, on its own connections.
  session.on('error', () => {});
  await session.connect();
  try {
    const { rows } = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lock]);
    return rows[0]?.taken ? await work() : null;
  } finally {
    await session.end();
  }
}
