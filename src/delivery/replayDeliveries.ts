import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { toTimestamp } from '../database/toTimestamp.js';
import type { Caller } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError } from '../domain/InputError.js';
import { parseId } from '../domain/parseId.js';
import type { DeliverySignal } from './DeliverySignal.js';
import { RELEASE_PER_SECOND } from './queue/releaseHeld.js';

interface Dependencies {
  readonly database: Database;
  readonly deliverySignal: DeliverySignal;
  /** Deliveries per second that are put back. */
  readonly replayPerSecond?: number;
}

/** Rows of one transaction: short enough to be in nobody's way. */
const BATCH = 5_000;

/**
 * Tries everything again that failed on a connection and was published since a time, in its order and at a bounded rate.
 * Each begins anew: a manual attempt, then the usual retries. Test broadcasts, and what belongs to a deleted
 * subscription, stay as they are. Returns how many. Throws an InputError: NOT_FOUND, CONFLICT when it is not active.
 */
export async function replayDeliveries(
  { database, deliverySignal, replayPerSecond = RELEASE_PER_SECOND }: Dependencies,
  caller: Caller,
  input: { readonly connectionId: string; readonly since: Date },
): Promise<number> {
  const connection = await database
    .em()
    .findOne(Connection, { id: parseId(input.connectionId) ?? 0, organizationId: caller.organizationId });
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  if (connection.status !== 'active') {
    throw InputError.of('CONFLICT', 'The connection is not active: see its statusReason.', 'connectionId');
  }
  const { rows: clock } = await sql<{ now: string }>`select now()::text as now`.execute(database.sql());
  const startedAt = clock[0]?.now;
  // What fails again meanwhile is not taken a second time: the walk goes through the ids once.
  let count = 0;
  let after = '00000000-0000-0000-0000-000000000000';
  while (true) {
    const { rows } = await sql<{ id: string }>`
      with failed as (
        select d.id, row_number() over (order by d.id) - 1 as position
        from (
          select d.id from deliveries d
          where d.connection_id = ${connection.id} and d.id > ${after} and d.status = 'failed'
            and d.created_at >= ${toTimestamp(input.since)} and d.created_at <= ${startedAt}
            and exists (select from subscriptions s where s.id = d.subscription_id)
            and exists (select from events e where e.id = d.event_id and not e.is_test)
          order by d.id limit ${BATCH} for update
        ) d
      )
      update deliveries d
      set status = 'pending', retry_count = 0, next_trigger = 'manual', leased_by = null, leased_until = null, updated_at = now(),
        due_at = ${startedAt}::timestamptz + (${count} + failed.position) * (interval '1 second' / ${replayPerSecond}::float8)
      from failed where d.id = failed.id
      returning d.id`.execute(database.sql());
    count += rows.length;
    if (count > 0) deliverySignal.notify();
    if (rows.length < BATCH) return count;
    after =
      rows
        .map(({ id }) => id)
        .sort()
        .at(-1) ?? after;
  }
}
