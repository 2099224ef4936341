import DataLoader from 'dataloader';
import { sql } from 'kysely';
import { findDeletions, type OrganizationDeletion } from '../access/deleteOrganization.js';
import { type ConnectionHealth, findHealth } from '../delivery/listDeliveries.js';
import { findOldestWaiting, findOldestWaitingOf, type OldestWaiting } from '../delivery/oldestWaiting.js';
import { Attempt } from '../domain/Attempt.js';
import type { Authorization } from '../domain/Authorization.js';
import { type Caller, onlyConnection, type Platform, reachableRows } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { Event } from '../domain/Event.js';
import { Subscription } from '../domain/Subscription.js';
import { findLatestAuthorizations } from '../oauth/authorizations.js';
import type { UseCaseDependencies } from '../UseCaseDependencies.js';
import { type Budget, sizeOf } from './Budget.js';
import type { ReadMany } from './connections/ConnectionTypeView.js';

/** Batches what a list's rows ask for one by one. Lives as long as one request. */
export interface Loaders {
  /** By connection id: its latest authorization. */
  readonly authorization: DataLoader<number, Authorization | null>;
  /** By connection id. */
  readonly credential: DataLoader<number, Credential | null>;
  /** By id; null for one that the caller may not touch. */
  readonly connection: DataLoader<number, Connection | null>;
  /** By connection id. */
  readonly health: DataLoader<number, ConnectionHealth | null>;
  /** By connection id: null when it has no subscription, active or paused. */
  readonly subscribed: DataLoader<number, { readonly connectionId: number } | null>;
  /** By connection id: null when nothing waits. */
  readonly oldestWaiting: DataLoader<number, OldestWaiting | null>;
  /** By organization id, the same. */
  readonly oldestWaitingOf: DataLoader<number, OldestWaiting | null>;
  /** By organization id: null when nobody asked for its deletion. */
  readonly deletion: DataLoader<number, OrganizationDeletion | null>;
  /** What a connection type reads by a key of its own; batched for each `read`. */
  look<Value>(read: ReadMany<Value>, key: string): Promise<Value | null>;
  readonly subscription: DataLoader<number, Subscription | null>;
  /** Without its payload. */
  readonly event: DataLoader<string, Event | null>;
  /** By event id. */
  readonly payload: DataLoader<string, Record<string, unknown> | null>;
  /** By delivery id: its attempts, oldest first. */
  readonly attempts: DataLoader<string, Attempt[]>;
}

interface PayloadRow {
  readonly id: string;
  readonly payload: Record<string, unknown>;
}

/** Rows at once of those that may be large: a payload has up to 256 KiB, an attempt's answer 16 KiB. */
const LARGE_AT_ONCE = 20;

export function createLoaders(
  { database }: Pick<UseCaseDependencies, 'database'>,
  possibleCaller: Caller | Platform | null,
  budget: Budget,
): Loaders {
  // A platform that acts for no organization touches no row of any.
  const caller = possibleCaller?.organizationId === null ? null : possibleCaller;
  const own = caller ? reachableRows(caller) : { organizationId: 0 };
  const only = caller && onlyConnection(caller);
  const rows = <T>(find: () => Promise<T[]>) => budget.read(find, ({ length }) => length);
  const byConnection = <T extends { connectionId?: number | null }>(find: (ids: number[]) => Promise<T[]>) =>
    new DataLoader<number, T | null>(async (ids) => {
      const found = new Map((await rows(() => find([...ids]))).map((row) => [row.connectionId, row]));
      return ids.map((id) => found.get(id) ?? null);
    });
  const byId = <Id extends string | number, T extends { id: Id }>(find: (ids: Id[]) => Promise<T[]>) =>
    new DataLoader<Id, T | null>(async (ids) => {
      const found = new Map((await rows(() => find([...ids]))).map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? null);
    });
  /** Reads a few at a time, and stops where what was read could not be answered any more. */
  const inParts = async <T>(ids: readonly string[], bytesOf: (row: T) => number, find: (ids: string[]) => Promise<T[]>) => {
    const found: T[] = [];
    let bytes = 0;
    for (let first = 0; first < ids.length; first += LARGE_AT_ONCE) {
      for (const row of await rows(() => find(ids.slice(first, first + LARGE_AT_ONCE)))) {
        found.push(row);
        bytes += bytesOf(row);
      }
      if (bytes > budget.bytes) budget.exceedBytes();
    }
    return found;
  };
  const looks = new Map<unknown, unknown>();
  const lookBy = <Value>(read: ReadMany<Value>) =>
    new DataLoader<string, Value | null>(async (keys) => {
      const found = await budget.read(
        () => read(keys),
        ({ size }) => size,
      );
      return keys.map((key) => found.get(key) ?? null);
    });
  return {
    authorization: byConnection((ids) => findLatestAuthorizations({ database }, ids)),
    health: byConnection((ids) => findHealth({ database }, ids)),
    look: <Value>(read: ReadMany<Value>, key: string) => {
      const known = looks.get(read);
      const loader = (known ?? lookBy(read)) as DataLoader<string, Value | null>;
      if (!known) looks.set(read, loader);
      return loader.load(key);
    },
    credential: byConnection((ids) => database.em().find(Credential, { connectionId: { $in: ids } })),
    connection: byId((ids: number[]) =>
      database.em().find(Connection, {
        organizationId: own.organizationId,
        id: { $in: only === null ? ids : ids.filter((id) => id === only) },
      }),
    ),
    subscribed: byConnection(async (ids) => {
      const query = sql<{ connectionId: number }>`
        select distinct connection_id::int as "connectionId" from subscriptions where connection_id = any(${sql.val(ids)}::bigint[])`;
      return (await query.execute(database.sql())).rows;
    }),
    oldestWaiting: byId((ids: number[]) => findOldestWaiting({ database }, ids)),
    oldestWaitingOf: byId((ids: number[]) => findOldestWaitingOf({ database }, possibleCaller, ids)),
    deletion: byId((ids: number[]) => findDeletions({ database }, ids)),
    subscription: byId((ids: number[]) => database.em().find(Subscription, { ...own, id: { $in: ids } })),
    event: byId(
      (ids: string[]) =>
        database.em().find(Event, { id: { $in: ids } }, { exclude: ['payload', 'properties'] }) as Promise<Event[]>,
    ),
    payload: new DataLoader(async (ids) => {
      const found = await inParts<PayloadRow>(
        ids,
        ({ payload }) => sizeOf(payload),
        async (some) => {
          const query = sql<PayloadRow>`select id, payload from events where id = any(${sql.val(some)}::uuid[])`;
          return (await query.execute(database.sql())).rows;
        },
      );
      const payloads = new Map(found.map(({ id, payload }) => [id, payload]));
      return ids.map((id) => payloads.get(id) ?? null);
    }),
    attempts: new DataLoader(async (ids) => {
      const found = await inParts<Attempt>(
        ids,
        ({ responseBody }) => sizeOf(responseBody),
        (some) => database.em().find(Attempt, { deliveryId: { $in: some } }, { orderBy: { id: 'asc' }, limit: budget.rows + 1 }),
      );
      const attempts = Map.groupBy(found, ({ deliveryId }) => deliveryId);
      return ids.map((id) => attempts.get(id) ?? []);
    }),
  };
}
