import { setTimeout as sleep } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../../src/database/Database.js';

export interface DeliveryCounts {
  readonly all: number;
  readonly delivered: number;
  readonly held: number;
  /** Waiting or in flight: neither delivered nor held. */
  readonly waiting: number;
  /** Waiting under a lease that has not ended. */
  readonly leased: number;
  /** Failed or cancelled. */
  readonly given_up: number;
  /** Deliveries with more than one attempt. */
  readonly repeated: number;
}

/** Reads the deliveries of one connection from the database. */
export class Deliveries {
  constructor(
    private readonly database: Database,
    private readonly connectionId: number,
  ) {}

  async counts(): Promise<DeliveryCounts> {
    return this.#one<DeliveryCounts>(sql`
      select count(*)::int as all,
        count(*) filter (where status = 'delivered')::int as delivered,
        count(*) filter (where status = 'held')::int as held,
        count(*) filter (where status in ('pending', 'retrying'))::int as waiting,
        count(*) filter (where status in ('pending', 'retrying') and leased_until > now())::int as leased,
        count(*) filter (where status in ('failed', 'cancelled'))::int as given_up,
        count(*) filter (where attempt_count > 1)::int as repeated
      from deliveries where connection_id = ${this.connectionId}`);
  }

  /** Returns the number of recorded attempts. */
  async attempts(): Promise<number> {
    const { attempts } = await this.#one<{ attempts: number }>(sql`
      select count(*)::int as attempts from attempts a join deliveries d on d.id = a.delivery_id
      where d.connection_id = ${this.connectionId}`);
    return attempts;
  }

  /** Returns the number of deliveries that are leased now, by a short query. */
  async leased(): Promise<number> {
    const { leased } = await this.#one<{ leased: number }>(sql`
      select count(*)::int as leased from deliveries
      where connection_id = ${this.connectionId} and status in ('pending', 'retrying') and leased_until > now()`);
    return leased;
  }

  /**
   * Queries repeatedly, also through outages of the database. Returns false when the condition does not become true in time.
   */
  async until(isSo: (counts: DeliveryCounts) => boolean, limitMs: number): Promise<boolean> {
    for (const deadline = Date.now() + limitMs; Date.now() < deadline; await sleep(250)) {
      const counts = await this.counts().catch(() => null);
      if (counts && isSo(counts)) return true;
    }
    return false;
  }

  async #one<Row>(query: RawBuilder<unknown>): Promise<Row> {
    return (await query.execute(this.database.sql())).rows[0] as Row;
  }
}
