import type { Database } from './Database.js';

/**
 * Does the work unless somebody is at it already, in this process or another; then returns null. The lock is a session's,
 * so it goes with a process that crashes.
 */
export async function runAlone<T>(database: Database, lock: number, work: () => Promise<T>): Promise<T | null> {
  const session = database.session('switchboard-lock');
  // A lost session is met by the work as well, on connections of its own.
  session.on('error', () => {});
  await session.connect();
  try {
    const { rows } = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lock]);
    return rows[0]?.taken ? await work() : null;
  } finally {
    await session.end();
  }
}
