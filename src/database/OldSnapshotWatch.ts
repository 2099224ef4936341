import { sql } from 'kysely';
import type { Database } from './Database.js';

/** Milliseconds between two checks. */
const EVERY_MS = 30_000;

/** Milliseconds after which an open transaction is reported. */
const OLD_MS = 10 * 60_000;

const ALARM = 'old_snapshot';

export interface OldSnapshotWatchOptions {
  readonly database: Database;
  readonly alarms: { raise(name: string, message: string): void; clear(name: string): void };
  readonly everyMs?: number;
  readonly oldMs?: number;
}

/**
 * Warns the operator of a transaction that stays open: a backup, a forgotten psql, a prepared transaction, an unused replication
 * slot. As long as its snapshot is held, Postgres can remove no newer row version, and every queue becomes slower by the hour
 * (PostgreSQL manual, 25.1.2).
 */
export class OldSnapshotWatch {
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: OldSnapshotWatchOptions) {
    this.#timer = setInterval(() => void this.look(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. Other checks report an unavailable database. */
  async look(): Promise<void> {
    const { database, alarms, oldMs = OLD_MS } = this.options;
    try {
      const { rows } = await sql<{ holder: string; seconds: number }>`
        select holder, seconds from (
          select format('%s (process %s)', coalesce(nullif(application_name, ''), usename, backend_type), pid) as holder,
            date_part('epoch', now() - xact_start) as seconds
          from pg_stat_activity where (backend_xmin is not null or backend_xid is not null) and pid <> pg_backend_pid() and xact_start is not null
            and backend_type = 'client backend'
          union all
          select format('the prepared transaction %s', gid), date_part('epoch', now() - prepared) from pg_prepared_xacts
        ) h order by seconds desc limit 1`.execute(database.sql());
      const [oldest] = rows;
      if (oldest && oldest.seconds * 1_000 > oldMs) {
        alarms.raise(
          ALARM,
          `A transaction of ${oldest.holder} has been open for ${Math.floor(oldest.seconds / 60)} minutes: Postgres can clean up nothing since, and deliveries become slower. End it, or wait for it if it is a backup.`,
        );
      } else alarms.clear(ALARM);
    } catch {
      // Postgres is unavailable.
    }
  }
}
