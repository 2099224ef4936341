import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

/** The Postgres channel (LISTEN, NOTIFY) that wakes the workers. The payload `sweep` also wakes their sweepers. */
export const WAKE_CHANNEL = 'switchboard_deliveries';

/** Tells workers that deliveries are due. Without the signal they find them a little later, by polling. */
export interface DeliverySignal {
  /** Wakes the workers. Call it after the commit. Never throws and never waits. Calls in quick succession send one notification. */
  notify(): void;
}

interface DeliverySignalOptions {
  readonly database: Database;
  /** Wakes the engine of this process directly, if there is one. */
  readonly wakeEngine?: () => void;
  /** Minimum time between two notifications to other processes, in milliseconds. */
  readonly intervalMs?: number;
}

/**
 * Returns a signal that wakes this process's engine at once, and the engines of other processes by a Postgres NOTIFY.
 *
 * Never call it within a publishing transaction: Postgres holds a global lock while it commits a transaction that notifies, so
 * all publishers would wait for each other. Calls are collected, so a thousand publishes a second cost a few dozen notifications.
 */
export function createDeliverySignal({ database, wakeEngine, intervalMs = 20 }: DeliverySignalOptions): DeliverySignal {
  let paused = false;
  let again = false;

  function tellOthers(): void {
    if (paused) {
      again = true;
      return;
    }
    paused = true;
    again = false;
    // A failed notification is harmless: without the database no process can publish or claim, and workers poll.
    sql`select pg_notify(${WAKE_CHANNEL}, '')`.execute(database.sql()).catch(() => {});
    setTimeout(() => {
      paused = false;
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
