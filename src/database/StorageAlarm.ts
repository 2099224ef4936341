import { sql } from 'kysely';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { Database } from './Database.js';
import { DISK_FULL } from './databaseTrouble.js';

export const STORAGE_ALARM = 'storage-full';

const PROBE_MS = 5_000;
/** Rows of one probe. They are stored without compression and need more room than the existing pages have. */
const PROBE_ROWS = 300;
const PROBE_ROW_BYTES = 1_900;

/**
 * Raises an alarm when any statement fails because Postgres has no room left. To end the alarm, it writes half a megabyte and
 * deletes it again every few seconds, until that works. A statement such as `select 1` would not find out.
 */
export class StorageAlarm {
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly database: () => Database,
    private readonly alarm: OperatorAlarm,
  ) {}

  /** Handles the SQLSTATE of an error from Postgres. */
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
