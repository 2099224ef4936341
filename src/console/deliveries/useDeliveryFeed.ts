import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { useAccess } from '../access/Access.js';
import { useWatch } from '../api/useWatch.js';
import { graphql } from '../graphql/gql.js';
import type { DeliveryFilter } from '../graphql/graphql.js';
import { type DeliveryRow, fits } from './deliveryRow.js';

export const DELIVERIES = graphql(`
  query Deliveries($first: Int!, $after: String, $filter: DeliveryFilter) {
    deliveries(first: $first, after: $after, filter: $filter) {
      edges { node { ...DeliveryRow } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const DELIVERY_UPDATED = graphql(`
  subscription WatchDeliveries($connectionId: ID) { deliveryUpdated(connectionId: $connectionId) { ...DeliveryRow } }
`);

const PAGE_SIZE = 100;
/** Rows that live updates let a list grow to. What goes off its end is read again once the reader gets there. */
const MOST_ROWS = 2_000;
/** Milliseconds in which changes are gathered before they are shown: hundreds a second must not mean hundreds of renderings. */
const GATHERED_FOR = 250;
/** Milliseconds that a delivery may be older than one with a smaller id. */
const OUT_OF_ORDER = 1_000;

interface Feed {
  readonly rows: readonly DeliveryRow[];
  readonly isLoading: boolean;
  readonly error: CombinedError | undefined;
  readonly hasMore: boolean;
  /** New deliveries that are not shown yet, since the reader looks at older ones. */
  readonly waiting: number;
  readonly readMore: () => void;
  readonly reload: () => void;
  /** Says whether the reader looks at the newest ones: only then are new ones put above them. */
  readonly setAtTop: (isAtTop: boolean) => void;
}

interface Shown {
  readonly rows: readonly DeliveryRow[];
  /** Their ids. They are read once the reader wants to see them. */
  readonly waiting: ReadonlySet<string>;
  /** Where older ones begin; null: there are none. */
  readonly rest: { readonly after?: string; readonly createdBefore?: string } | null;
}

type Changes = ReadonlyMap<string, DeliveryRow>;

const NONE: ReadonlySet<string> = new Set();
const NOTHING: Shown = { rows: [], waiting: NONE, rest: null };

/**
 * The deliveries of a filter, newest first: read page by page, and kept up to date by live updates. With `few`, only that many of
 * the newest.
 */
export function useDeliveryFeed(filter: DeliveryFilter, few?: number): Feed {
  const pageSize = few ?? PAGE_SIZE;
  const most = few ?? MOST_ROWS;
  const client = useClient();
  const { missed } = useAccess();
  const [shown, setShown] = useState(NOTHING);
  const [error, setError] = useState<CombinedError>();
  const [isLoading, setLoading] = useState(true);
  const [reloads, setReloads] = useState(0);
  const isReading = useRef(false);
  const isAtTop = useRef(true);
  /** What was heard during each query that is under way: it may be newer than the answer. */
  const underWay = useRef(new Set<Map<string, DeliveryRow>>());

  const readPage = useCallback(
    async (rest: Shown['rest']) => {
      const { after, ...older } = rest ?? {};
      const heard = new Map<string, DeliveryRow>();
      underWay.current.add(heard);
      const variables = { first: pageSize, after, filter: { ...filter, ...older } };
      const answer = await client.query(DELIVERIES, variables, { requestPolicy: 'network-only' }).toPromise();
      underWay.current.delete(heard);
      const { edges = [], pageInfo } = answer.data?.deliveries ?? {};
      const next = pageInfo?.hasNextPage && pageInfo.endCursor ? { after: pageInfo.endCursor } : null;
      return { error: answer.error, isRead: answer.data !== undefined, rows: edges.map(({ node }) => node), next, heard };
    },
    [client, filter, pageSize],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew also when asked to, or when something may have been missed
  useEffect(() => {
    let isOver = false;
    setLoading(true);
    void readPage(null).then(({ error, isRead, rows, next, heard }) => {
      if (isOver) return;
      setLoading(false);
      setError(error);
      if (isRead) setShown(merge({ rows, waiting: NONE, rest: next }, heard, filter, isAtTop.current, most));
    });
    return () => {
      isOver = true;
    };
  }, [readPage, missed, reloads]);

  const gathered = useGathered<DeliveryRow>((changed) => {
    for (const heard of underWay.current) for (const [id, row] of changed) heard.set(id, row);
    setShown((now) => merge(now, changed, filter, isAtTop.current, most));
  });
  const { connectionId = null } = filter;
  useWatch(DELIVERY_UPDATED, { connectionId }, ({ deliveryUpdated }) => gathered(deliveryUpdated));

  const { rest } = shown;
  const readMore = useCallback(async () => {
    if (isReading.current || rest === null) return;
    isReading.current = true;
    const { error, isRead, rows, next, heard } = await readPage(rest);
    isReading.current = false;
    if (!isRead) return setError(error);
    setShown((now) => {
      // Another list may have taken its place meanwhile.
      if (now.rest !== rest) return now;
      // A row that is shown already is the newer of the two: it heard of changes.
      const all = distinct([...rows, ...now.rows]).sort(newestFirst);
      return merge({ ...now, rows: all, rest: next }, heard, filter, false, most);
    });
  }, [rest, readPage, filter, most]);

  const reload = useCallback(() => {
    setShown((now) => ({ ...now, waiting: NONE }));
    setReloads((count) => count + 1);
  }, []);
  const isWaiting = shown.waiting.size > 0;
  const setAtTop = useCallback(
    (now: boolean) => {
      isAtTop.current = now;
      if (now && isWaiting) reload();
    },
    [isWaiting, reload],
  );
  // Every row that was shown has left the list, while there are others.
  const isUsedUp = shown.rows.length === 0 && (rest !== null || isWaiting);
  useEffect(() => {
    if (!isUsedUp) return;
    isAtTop.current = true;
    reload();
  }, [isUsedUp, reload]);

  return useMemo(
    () => ({
      ...{ rows: shown.rows, waiting: shown.waiting.size, hasMore: rest !== null },
      ...{ isLoading, error, readMore: () => void readMore(), reload, setAtTop },
    }),
    [shown, rest, isLoading, error, readMore, reload, setAtTop],
  );
}

/** Puts changed deliveries where they belong: rows that are shown change in place, new ones come above or wait. */
function merge(now: Shown, changed: Changes, filter: DeliveryFilter, isAtTop: boolean, most: number): Shown {
  const fresh = new Map(changed);
  const rows = now.rows.flatMap((row) => {
    const change = fresh.get(row.id);
    fresh.delete(row.id);
    if (!change || change.updatedAt < row.updatedAt) return [row];
    return fits(change, filter) ? [change] : [];
  });
  const oldest = rows.at(-1);
  const isNew = (row: DeliveryRow) => fits(row, filter) && (now.rest === null || !oldest || row.createdAt >= oldest.createdAt);
  if (isAtTop) {
    const added = [...fresh.values()].filter(isNew);
    if (added.length === 0) return { ...now, rows };
    return cut({ ...now, rows: [...added, ...rows].sort(newestFirst) }, most);
  }
  const waiting = new Set(now.waiting);
  for (const row of fresh.values()) {
    if (!isNew(row)) waiting.delete(row.id);
    else if (waiting.size < most) waiting.add(row.id);
  }
  return { ...now, rows, waiting };
}

/** Drops the oldest rows of a list that has become too long. */
function cut(shown: Shown, most: number): Shown {
  const rows = shown.rows.slice(0, most);
  const oldest = rows.at(-1);
  if (!oldest || rows.length === shown.rows.length) return shown;
  return { ...shown, rows, rest: { createdBefore: new Date(Date.parse(oldest.createdAt) + OUT_OF_ORDER).toISOString() } };
}

/** Ids grow with time. */
const newestFirst = (one: DeliveryRow, other: DeliveryRow): number =>
  one.id.length - other.id.length === 0 ? (one.id < other.id ? 1 : -1) : other.id.length - one.id.length;

const distinct = (rows: readonly DeliveryRow[]): DeliveryRow[] => [...new Map(rows.map((row) => [row.id, row])).values()];

/** Gathers what comes in quick succession, the latest for each id, and hands it on together. */
function useGathered<Row extends { readonly id: string }>(handOn: (rows: ReadonlyMap<string, Row>) => void) {
  const latest = useRef(handOn);
  latest.current = handOn;
  const pending = useRef(new Map<string, Row>());
  const timer = useRef<number | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return useCallback((row: Row) => {
    pending.current.set(row.id, row);
    timer.current ??= setTimeout(() => {
      const rows = pending.current;
      pending.current = new Map();
      timer.current = null;
      latest.current(rows);
    }, GATHERED_FOR);
  }, []);
}
