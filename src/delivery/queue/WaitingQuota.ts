import { sql } from 'kysely';
import type { Database } from '../../database/Database.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** ms for which a count is believed, as long as it and what this process has added since stay below the quota. */
const BELIEVED_MS = 5_000;

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
 * that all share. Counted anew when a limit may be near, so several processes may together go a little beyond it.
 */
export class WaitingQuota {
  readonly #counts = new Map<number, Count>();

  /** @param max 0: no limit. */
  constructor(
    private readonly database: Database,
    private readonly max: number,
  ) {}

  /** Throws a SwitchboardError, TOO_MANY_WAITING, when no more events may be published for the moment. */
  async check(organizationId: number, events: number): Promise<void> {
    if (this.max === 0) return;
    let count = this.#counts.get(organizationId);
    const old = !count || performance.now() - count.countedAt > BELIEVED_MS;
    if (!count || old || count.waiting + events > this.max) count = await this.#count(organizationId);
    if (count.waiting >= this.max) {
      throw new SwitchboardError(
        'TOO_MANY_WAITING',
        `${this.max} deliveries wait already, which is as many as may. Mend or turn off what they wait for, then publish again.`,
      );
    }
    count.waiting += events;
  }

  async #count(organizationId: number): Promise<Count> {
    const { rows } = await sql<{ count: number }>`
      select (count(*) + coalesce((
        select sum(total_count - done_count) from delivery_tasks
        where organization_id = ${organizationId} and status = 'running' and kind = 'fan_out'
      ), 0))::float8 as count from (
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status in ('pending', 'retrying') limit ${this.max}
        ) d where c.organization_id = ${organizationId}
        union all
        select from connections c cross join lateral (
          select from deliveries d where d.connection_id = c.id and d.status = 'held' limit ${this.max}
        ) d where c.organization_id = ${organizationId}
        limit ${this.max}
      ) w`.execute(this.database.sql());
    const count = { waiting: rows[0]?.count ?? 0, countedAt: performance.now() };
    this.#counts.delete(organizationId);
    this.#counts.set(organizationId, count);
    if (this.#counts.size > MAX_ORGANIZATIONS) this.#counts.delete(this.#counts.keys().next().value as number);
    return count;
  }
}
