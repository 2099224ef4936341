import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type CombinedError, useClient, useSubscription } from 'urql';
import { useAccess } from '../access/Access.js';
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
/** Milliseconds in which changes are gathered before they are shown: hundreds a second must not mean hundreds of renderings. */
const GATHERED_FOR = 250;

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
  readonly waiting: readonly DeliveryRow[];
  readonly cursor: string | null;
}

const NOTHING: Shown = { rows: [], waiting: [], cursor: null };

/** The deliveries of a filter, newest first: read page by page, and kept up to date by live updates. */
export function useDeliveryFeed(filter: DeliveryFilter, pageSize = PAGE_SIZE): Feed {
  const client = useClient();
  const { missed } = useAccess();
  const [shown, setShown] = useState(NOTHING);
  const [error, setError] = useState<CombinedError>();
  const [isLoading, setLoading] = useState(true);
  const [reloads, setReloads] = useState(0);
  const isReading = useRef(false);
  const isAtTop = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew also when asked to, or when something may have been missed
  useEffect(() => {
    let isOver = false;
    setLoading(true);
    void client
      .query(DELIVERIES, { first: pageSize, filter }, { requestPolicy: 'network-only' })
      .toPromise()
      .then((answer) => {
        if (isOver) return;
        setLoading(false);
        setError(answer.error);
        if (!answer.data) return;
        const { edges, pageInfo } = answer.data.deliveries;
        const cursor = pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null;
        setShown({ rows: edges.map(({ node }) => node), waiting: [], cursor });
      });
    return () => {
      isOver = true;
    };
  }, [client, filter, missed, reloads]);

  const gathered = useGathered<DeliveryRow>((changed) => setShown((now) => merge(now, changed, filter, isAtTop.current)));
  useSubscription(
    { query: DELIVERY_UPDATED, variables: { connectionId: filter.connectionId ?? null } },
    (_before: string | null | undefined, { deliveryUpdated }): string | null => {
      gathered(deliveryUpdated);
      return null;
    },
  );

  const { cursor } = shown;
  const readMore = useCallback(async () => {
    if (isReading.current || cursor === null) return;
    isReading.current = true;
    const variables = { first: pageSize, after: cursor, filter };
    const answer = await client.query(DELIVERIES, variables, { requestPolicy: 'network-only' }).toPromise();
    isReading.current = false;
    if (!answer.data) return setError(answer.error);
    const { edges, pageInfo } = answer.data.deliveries;
    const next = pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null;
    // Another list may have taken its place meanwhile.
    setShown((now) =>
      now.cursor === cursor ? { ...now, rows: distinct([...now.rows, ...edges.map(({ node }) => node)]), cursor: next } : now,
    );
  }, [client, cursor, filter, pageSize]);

  const setAtTop = useCallback((now: boolean) => {
    isAtTop.current = now;
    if (now) {
      setShown(({ rows, waiting, cursor }) =>
        waiting.length > 0 ? { rows: distinct([...waiting, ...rows]), waiting: [], cursor } : { rows, waiting, cursor },
      );
    }
  }, []);
  const reload = useCallback(() => setReloads((count) => count + 1), []);

  return useMemo(
    () => ({
      ...{ rows: shown.rows, waiting: shown.waiting.length, hasMore: cursor !== null },
      ...{ isLoading, error, readMore: () => void readMore(), reload, setAtTop },
    }),
    [shown, cursor, isLoading, error, readMore, reload, setAtTop],
  );
}

/** Puts changed deliveries where they belong: rows that are shown change in place, new ones come above or wait. */
function merge(now: Shown, changed: ReadonlyMap<string, DeliveryRow>, filter: DeliveryFilter, isAtTop: boolean): Shown {
  const fresh = new Map(changed);
  const update = (rows: readonly DeliveryRow[]) =>
    rows.flatMap((row) => {
      const update = fresh.get(row.id);
      if (!update) return [row];
      fresh.delete(row.id);
      return fits(update, filter) ? [update] : [];
    });
  const rows = update(now.rows);
  const waiting = update(now.waiting);
  const oldest = rows.at(-1);
  const isNew = (row: DeliveryRow) => fits(row, filter) && (now.cursor === null || !oldest || row.createdAt >= oldest.createdAt);
  const added = [...fresh.values()].filter(isNew);
  const inOrder = (some: readonly DeliveryRow[]) => [...some].sort(newestFirst);
  if (added.length === 0) return { ...now, rows, waiting };
  return isAtTop
    ? { ...now, rows: inOrder([...added, ...waiting, ...rows]), waiting: [] }
    : { ...now, rows, waiting: inOrder([...added, ...waiting]) };
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
