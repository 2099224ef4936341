import DataLoader from 'dataloader';
import { sql } from 'kysely';
import { findDeletions, type OrganizationDeletion } from '../access/deleteOrganization.js';
import { DEFAULT_PAGE_SIZE, type Page, type PageArguments } from '../database/paginate.js';
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

/** Batches the reads of the rows of a list. Loaders exist as long as one request. */
export interface Loaders {
  /** By connection id: its latest authorization. */
  readonly authorization: DataLoader<number, Authorization | null>;
  /** By connection id. */
  readonly credential: DataLoader<number, Credential | null>;
  /** By id; null for a connection that the caller cannot reach. */
  readonly connection: DataLoader<number, Connection | null>;
  /** By connection id. */
  readonly health: DataLoader<number, ConnectionHealth | null>;
  /** By connection id: null when it has no subscription, active or paused. */
  readonly subscribed: DataLoader<number, { readonly connectionId: number } | null>;
  /** By connection id: null when nothing waits. */
  readonly oldestWaiting: DataLoader<number, OldestWaiting | null>;
  /** By organization id, the same. */
  readonly oldestWaitingOf: DataLoader<number, OldestWaiting | null>;
  /** By organization id: null when no deletion was requested. */
  readonly deletion: DataLoader<number, OrganizationDeletion | null>;
  /** Reads a value of a connection type by its own key. Keys are batched for each `read` function. */
  look<Value>(read: ReadMany<Value>, key: string): Promise<Value | null>;
  /** Pages of lists that belong to a row, by the row's key; batched for each `list`, which names the list and its arguments. */
  page<Key extends number | string, Row>(
    list: string,
    args: PageArguments,
    key: Key,
    read: (keys: readonly Key[]) => Promise<Page<Row>[]>,
  ): Promise<Page<Row>>;
  readonly subscription: DataLoader<number, Subscription | null>;
  /** By event id, without the payload. */
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

/** Maximum rows of pages per query. */
const PAGES_ROWS_AT_ONCE = 1_000;

/** Rows of the first query for rows that may be large: a payload has up to 256 KiB, the response body of an attempt 16 KiB. */
const LARGE_AT_FIRST = 20;
/** Maximum rows and bytes of each later query, by the average size so far. */
const LARGE_AT_ONCE = 100;
const BYTES_AT_ONCE = 1024 * 1024;

export function createLoaders(
  { database }: Pick<UseCaseDependencies, 'database'>,
  possibleCaller: Caller | Platform | null,
  budget: Budget,
): Loaders {
  // A platform that acts for no organization can reach no rows.
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
  /** Reads a few rows at a time, by their average size so far, and stops when they exceed the bytes of the budget. */
  const inParts = <T>(bytesOf: (row: T) => number, find: (ids: string[]) => Promise<T[]>) => {
    let count = 0;
    let bytes = 0;
    return async (ids: readonly string[]): Promise<T[]> => {
      const found: T[] = [];
      for (let first = 0; first < ids.length; ) {
        const fitting = count === 0 ? LARGE_AT_FIRST : Math.floor((BYTES_AT_ONCE * count) / bytes);
        const some = ids.slice(first, first + Math.min(Math.max(1, fitting), LARGE_AT_ONCE));
        for (const row of await rows(() => find(some))) {
          found.push(row);
          bytes += bytesOf(row);
        }
        first += some.length;
        count += some.length;
        if (bytes > budget.bytes) budget.exceedBytes();
      }
      return found;
    };
  };
  const payloads = inParts<PayloadRow>(
    ({ payload }) => sizeOf(payload),
    async (ids) => {
      const query = sql<PayloadRow>`select id, payload from events where id = any(${sql.val(ids)}::uuid[])`;
      return (await query.execute(database.sql())).rows;
    },
  );
  const attempts = inParts<Attempt>(
    ({ responseBody }) => sizeOf(responseBody),
    (ids) => database.em().find(Attempt, { deliveryId: { $in: ids } }, { orderBy: { id: 'asc' }, limit: budget.rows + 1 }),
  );
  const pages = new Map<string, unknown>();
  const pagesBy = <Key extends number | string, Row>(
    { first, last }: PageArguments,
    read: (keys: readonly Key[]) => Promise<Page<Row>[]>,
  ) =>
    new DataLoader<Key, Page<Row>>(
      (keys) =>
        budget.read(
          () => read(keys),
          (found) => found.reduce((sum, { edges }) => sum + edges.length, 0),
        ),
      { maxBatchSize: Math.max(1, Math.floor(PAGES_ROWS_AT_ONCE / Math.max(1, last ?? first ?? DEFAULT_PAGE_SIZE))) },
    );
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
      const found = new Map((await payloads(ids)).map(({ id, payload }) => [id, payload]));
      return ids.map((id) => found.get(id) ?? null);
    }),
    attempts: new DataLoader(async (ids) => {
      const found = Map.groupBy(await attempts(ids), ({ deliveryId }) => deliveryId);
      return ids.map((id) => found.get(id) ?? []);
    }),
    page: <Key extends number | string, Row>(
      list: string,
      args: PageArguments,
      key: Key,
      read: (keys: readonly Key[]) => Promise<Page<Row>[]>,
    ) => {
      const known = pages.get(list);
      const loader = (known ?? pagesBy(args, read)) as DataLoader<Key, Page<Row>>;
      if (!known) pages.set(list, loader);
      return loader.load(key);
    },
  };
}
