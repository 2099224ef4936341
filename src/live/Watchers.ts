import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

const EXPIRY = '30 seconds';
/** Maximum milliseconds to wait for a transaction to end. */
const OLDER_WRITES_MS = 2_000;
const POLL_MS = 20;

/** The rows of this process in `live_watchers`, by which Postgres knows which organizations are watched. */
export class Watchers {
  readonly #process = randomUUID();

  constructor(private readonly database: Database) {}

  /**
   * Registers the organizations that this process watches, for the next 30 seconds. The rows of a dead process expire. Returns
   * the organizations whose changes may have been missed, because their last registration is too long ago or was lost.
   */
  async announce(organizations: readonly number[]): Promise<number[]> {
    if (organizations.length === 0) return [];
    const { rows } = await sql<{ id: string }>`
      with known as (
        select organization_id from live_watchers where process = ${this.#process} and expires_at > now()
      ), gone as (
        delete from live_watchers where ctid = any (array(
          select ctid from live_watchers
          where expires_at < now() - interval '1 minute' and process <> ${this.#process} for update skip locked
        ))
      ), announced as (
        insert into live_watchers (organization_id, process, expires_at)
        select id, ${this.#process}, now() + ${sql.lit(EXPIRY)}::interval
        from unnest(${sql.val([...organizations])}::bigint[]) as watched (id)
        order by id
        on conflict (organization_id, process) do update set expires_at = excluded.expires_at
        returning organization_id as id
      )
      select id from announced where id not in (select organization_id from known)`.execute(this.database.sql());
    return rows.map(({ id }) => Number(id));
  }

  /** Resolves when the transactions that were open before have ended. Their changes sent no notification, but can be read now. */
  async olderWritesEnd(): Promise<void> {
    const deadline = Date.now() + OLDER_WRITES_MS;
    const { rows } = await sql<{ newest: string }>`
      select pg_snapshot_xmax(pg_current_snapshot())::text as newest`.execute(this.database.sql());
    for (;;) {
      const { rows: found } = await sql<{ ended: boolean }>`
        select pg_snapshot_xmin(pg_current_snapshot()) >= ${rows[0]?.newest}::text::xid8 as ended`.execute(this.database.sql());
      if (found[0]?.ended || Date.now() > deadline) return;
      await sleep(POLL_MS);
    }
  }

  async withdraw(): Promise<void> {
    await sql`delete from live_watchers where process = ${this.#process}`.execute(this.database.sql());
  }
}
