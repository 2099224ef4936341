import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { WAKE_CHANNEL } from './engine/DeliveryEngine.js';

/** Tells workers that deliveries are due. They find them without it too, a little later. */
export interface DeliverySignal {
  /** To be called after the commit. Never throws, never waits; calls in quick succession are one. */
  notify(): void;
}

interface DeliverySignalOptions {
  readonly database: Database;
  /** The engine of this process, if it has one: it is woken without a detour. */
  readonly wakeEngine?: () => void;
  /** Other processes are told at most once in so many milliseconds. */
  readonly intervalMs?: number;
}

/**
 * A signal that wakes this process's engine at once and those of other processes by a Postgres NOTIFY.
 *
 * Never within a publishing transaction: Postgres holds a global lock while it commits one that notifies, which would
 * make all publishers take turns. Calls are gathered, so a thousand publishes a second cost a few dozen notifications.
 */
export function createDeliverySignal({ database, wakeEngine, intervalMs = 20 }: DeliverySignalOptions): DeliverySignal {
  let resting = false;
  let again = false;

  function tellOthers(): void {
    if (resting) {
      again = true;
      return;
    }
    resting = true;
    again = false;
    // Lost while the database is away: then nobody can publish or claim either, and workers look by themselves.
    sql`select pg_notify(${WAKE_CHANNEL}, '')`.execute(database.sql()).catch(() => {});
    setTimeout(() => {
      resting = false;
      if (again) tellOthers();
    }, intervalMs).unref();
  }

  return {
    notify() {
      wakeEngine?.();
      tellOthers();
    },
  };
}
