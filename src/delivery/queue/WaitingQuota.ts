import { sql } from 'kysely';
import type { Database, EntityManager } from '../../database/Database.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** ms for which a count is believed, as long as it and what this process has added since stay below the quota. */
const BELIEVED_MS = 5_000;

/** A publish that adds more than this part of the quota is never let through on a belief. */
const LARGE = 1 / 100;

/** Seconds after which a publisher may come again: what waits goes out, or somebody mends what it waits for. */
const AGAIN_S = 30;

/** Organizations that are remembered. */
const MAX_ORGANIZATIONS = 10_000;

interface Count {
  /** Deliveries that waited when they were counted, and those that this process may have added since. */
  waiting: number;
  /** `performance.now()`. */
  countedAt: number;
}

/**
 * How many deliveries of one organization may wait at once: who publishes faster than its destinations take fills the disk
 * that all share. While the limit is far, what was counted a moment ago is believed, so several processes may together go a
 * little beyond it by many small publishes. Near it, publishers take turns and count.
 */
export class WaitingQuota {
  readonly #counts = new Map<number, Count>();

  /** @param max 0: no limit. */
  constructor(
    private readonly database: Database,
    private readonly max: number,
  ) {}

  /** Throws a SwitchboardError, TOO_MANY_WAITING, when no more events may be published for the moment. */
  async check(organizationId: number): Promise<void> {
    if (this.max === 0) return;
    let count = this.#believed(organizationId);
    if (!count || count.waiting >= this.max) count = await this.#count(this.database.sql(), organizationId, 0);
    if (count.waiting >= this.max) throw this.#full(0);
  }

  /**
   * Counts what a publishing transaction has added, as its last step: it holds a lock until it ends when the limit is near.
   * Throws a SwitchboardError, TOO_MANY_WAITING, when that would be more than may wait; then nothing of it may be committed.
   */
  async take(em: EntityManager, organizationId: number, added: number): Promise<void> {
    if (this.max === 0 || added === 0) return;
    const believed = this.#believed(organizationId);
    if (believed && believed.waiting + added <= this.max && added <= Math.max(1, this.max * LARGE)) {
      believed.waiting += added;
      return;
    }
    const db = em.getKysely();
    await sql`select pg_advisory_xact_lock(hashtextextended('deliveries that wait', ${organizationId}::bigint))`.execute(db);
    const count = await this.#count(db, organizationId, added);
    if (count.waiting <= this.max) return;
    count.waiting -= added;
    throw this.#full(added);
  }

  #full(added: number): SwitchboardError {
    const message =
      added > this.max
        ? `This would add ${added} deliveries, and ${this.max} may wait at once. Publish fewer events at a time.`
        : added > 0
          ? `This would add ${added} deliveries to those that wait, and ${this.max} may wait at once. Publish fewer events at a time, or mend or turn off what the others wait for.`
          : `${this.max} deliveries wait already, which is as many as may. Mend or turn off what they wait for, then publish again.`;
    return new SwitchboardError('TOO_MANY_WAITING', message, { retryAfterSeconds: AGAIN_S });
  }

  #believed(organizationId: number): Count | null {
    const count = this.#counts.get(organizationId);
    return count && performance.now() - count.countedAt <= BELIEVED_MS ? count : null;
  }

  /** Counts to the quota and `added`, which the transaction sees already: that tells how many wait beside those. */
  async #count(db: ReturnType<Database['sql']>, organizationId: number, added: number): Promise<Count> {
    const enough = this.max + added;
    const { rows } = await sql<{ count: number }>`
      select (count(*) + coalesce((
        select sum(total_count - done_count) from delivery_tasks
        where organization_id = ${organizationId} and status = 'running' and kind = 'fan_out'
      ), 0))::float8 as count from (
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status in ('pending', 'retrying') limit ${enough}
        ) d where c.organization_id = ${organizationId}
        union all
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status = 'held' limit ${enough}
        ) d where c.organization_id = ${organizationId}
        limit ${enough}
      ) w`.execute(db);
    const count = { waiting: rows[0]?.count ?? 0, countedAt: performance.now() };
    this.#counts.delete(organizationId);
    this.#counts.set(organizationId, count);
    if (this.#counts.size > MAX_ORGANIZATIONS) this.#counts.delete(this.#counts.keys().next().value as number);
    return count;
  }
}
