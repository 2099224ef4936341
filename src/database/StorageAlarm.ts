import { sql } from 'kysely';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { Database } from './Database.js';
import { DISK_FULL } from './databaseTrouble.js';

export const STORAGE_ALARM = 'storage-full';

const PROBE_MS = 5_000;
/** Stored without compression, and more than would find room in pages that are there already. */
const PROBE_ROWS = 300;
const PROBE_ROW_BYTES = 1_900;

/**
 * Raises an alarm when Postgres has no room left, whoever met that, and ends it by itself: every few seconds half a
 * megabyte is written and thrown away again, until that works. A question such as `select 1` would not find out.
 */
export class StorageAlarm {
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly database: () => Database,
    private readonly alarm: OperatorAlarm,
  ) {}

  /** The SQLSTATE of an error that Postgres answered. */
  heard(code: string): void {
    if (code !== DISK_FULL || this.#timer || this.#closed) return;
    this.alarm.raise(
      STORAGE_ALARM,
      'The database has no room left: nothing can be published, and results of deliveries wait. Make room.',
    );
    this.#probeSoon();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #probeSoon(): void {
    this.#timer = setTimeout(() => void this.#probe(), PROBE_MS).unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.database().transaction(async (em) => {
        const db = this.database().sql(em);
        await sql`insert into storage_probes (filler)
          select rpad(n::text, ${PROBE_ROW_BYTES}, 'x') from generate_series(1, ${PROBE_ROWS}::int) n`.execute(db);
        await sql`truncate storage_probes`.execute(db);
      });
    } catch {
      if (!this.#closed) this.#probeSoon();
      return;
    }
    this.#timer = undefined;
    this.alarm.clear(STORAGE_ALARM);
  }
}
