import { setTimeout as sleep } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../../src/database/Database.js';

export interface DeliveryCounts {
  readonly all: number;
  readonly delivered: number;
  readonly held: number;
  /** Neither delivered nor held: waiting, or under way. */
  readonly waiting: number;
  /** Waiting under a lease that is not over. */
  readonly leased: number;
  /** Neither delivered nor waiting nor held: failed or cancelled. */
  readonly given_up: number;
  /** More than one attempt was counted. */
  readonly repeated: number;
}

/** What the database says about the deliveries of one connection. */
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

  /** Attempts on record. */
  async attempts(): Promise<number> {
    const { attempts } = await this.#one<{ attempts: number }>(sql`
      select count(*)::int as attempts from attempts a join deliveries d on d.id = a.delivery_id
      where d.connection_id = ${this.connectionId}`);
    return attempts;
  }

  /** How many are under a lease at this moment, by one short look. */
  async leased(): Promise<number> {
    const { leased } = await this.#one<{ leased: number }>(sql`
      select count(*)::int as leased from deliveries
      where connection_id = ${this.connectionId} and status in ('pending', 'retrying') and leased_until > now()`);
    return leased;
  }

  /** Looks again and again, through outages of the database too. Returns false when it never came true. */
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
