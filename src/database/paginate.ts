import type { EntityDictionary, EntityName, FilterQuery } from '@mikro-orm/core';
import { HOUR_MS } from '../domain/duration.js';
import { SwitchboardError } from '../domain/errors.js';
import type { EntityManager } from './Database.js';
import { toTimestamp } from './toTimestamp.js';

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** Maximum number of rows that a count includes, so that it does not become slower as the history grows. */
export const MAX_COUNTED = 10_000;

/** The arguments of a cursor connection (GraphQL Cursor Connections Specification, section 4). */
export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

export interface Page<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  /** Counts when it is called, up to `MAX_COUNTED`. */
  readonly totalCount: () => Promise<number>;
}

interface Row {
  readonly id: number | string;
}

/**
 * Returns one page of a list, newest first. Ids grow with time, so the id is the position, and every page costs one index scan.
 * `list` names the list; its cursors are valid for no other. Columns in `exclude` are not read. Throws BAD_USER_INPUT naming the
 * argument.
 */
export async function paginate<T extends Row>(
  em: EntityManager,
  entity: EntityName<T>,
  list: string,
  filter: FilterQuery<T>,
  args: PageArguments,
  exclude: readonly (keyof T & string)[] = [],
): Promise<Page<T>> {
  const where = canMatch(filter) ? filter : ({ id: { $in: [] } } as FilterQuery<T>);
  const bounds = readBounds(em, entity, list, args);
  const rows: T[] = await em.find(entity, between(where, bounds), {
    orderBy: { id: bounds.backwards ? 'asc' : 'desc' } as never,
    limit: bounds.size + 1,
    exclude: exclude as never,
  });
  return toPage(em, entity, list, where, bounds, rows);
}

/**
 * Returns the same page of several lists by one statement: for each of `parents`, such as connections, of the rows that belong to
 * it and match the filter. Throws as `paginate` does.
 */
export async function paginateEach<T extends Row>(
  em: EntityManager,
  entity: EntityName<T>,
  list: string,
  filter: FilterQuery<T>,
  parents: readonly FilterQuery<NoInfer<T>>[],
  args: PageArguments,
): Promise<Page<T>[]> {
  const bounds = readBounds(em, entity, list, args);
  const common = canMatch(filter) ? filter : { id: { $in: [] } };
  const wheres = parents.map((parent) => ({ $and: [common, parent] }) as FilterQuery<T>);
  const queries = wheres.map((where) =>
    em
      .createQueryBuilder(entity, 'e')
      .where(between(where, bounds) as never)
      .orderBy({ id: bounds.backwards ? 'asc' : 'desc' } as never)
      .limit(bounds.size + 1),
  );
  const found = await em.execute<(EntityDictionary<T> & { readonly part: number })[]>(
    queries.map((query, part) => `select ${part} as part, p.* from (${query.getQuery()}) p`).join(' union all '),
    queries.flatMap((query) => query.getParams() as unknown[]),
  );
  const parts = Map.groupBy(found, ({ part }) => part);
  return wheres.map((where, index) => {
    const rows = (parts.get(index) ?? []).map(({ part, ...row }) => em.map(entity, row as never));
    // A union has no order.
    rows.sort(({ id: one }, { id: other }) => (one < other === bounds.backwards ? -1 : 1));
    return toPage(em, entity, list, where, bounds, rows);
  });
}

interface Bounds {
  readonly size: number;
  readonly backwards: boolean;
  readonly after: string | null;
  readonly before: string | null;
}

function readBounds<T extends Row>(em: EntityManager, entity: EntityName<T>, list: string, args: PageArguments): Bounds {
  const form = em.getMetadata().get(entity).getPrimaryProp().columnTypes.includes('uuid') ? UUID : DECIMAL;
  const after = readCursor(args.after, 'after', list, form);
  const before = readCursor(args.before, 'before', list, form);
  return { ...readSize(args), after, before };
}

function between<T extends Row>(where: FilterQuery<T>, { after, before }: Bounds): FilterQuery<T> {
  const conditions = [where, after && { id: { $lt: after } }, before && { id: { $gt: before } }].filter(Boolean);
  return { $and: conditions } as FilterQuery<T>;
}

function toPage<T extends Row>(
  em: EntityManager,
  entity: EntityName<T>,
  list: string,
  where: FilterQuery<T>,
  { size, backwards, after, before }: Bounds,
  rows: readonly T[],
): Page<T> {
  const more = rows.length > size;
  const nodes = rows.slice(0, size);
  if (backwards) nodes.reverse();
  const edges = nodes.map((node) => ({ node, cursor: writeCursor(list, node.id) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: backwards ? before !== null : more,
      hasPreviousPage: backwards ? more : after !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: once(() => count(em, entity, where)),
  };
}

/** Returns a function that does the work at its first call, and returns that result at every call. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

async function count<T extends Row>(em: EntityManager, entity: EntityName<T>, where: FilterQuery<T>): Promise<number> {
  const matching = em
    .createQueryBuilder(entity, 'e')
    .select('id' as never)
    .where(where as never)
    .limit(MAX_COUNTED);
  const rows = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from (${matching.getQuery()}) counted`,
    matching.getParams() as unknown[],
  );
  return rows[0]?.count ?? 0;
}

/** Text in Postgres contains no NUL, and Postgres refuses it even in a condition. */
function canMatch(filter: unknown): boolean {
  return !Object.values(filter as object).some((value) => typeof value === 'string' && value.includes('\0'));
}

function readSize({ first, last }: PageArguments): { size: number; backwards: boolean } {
  if (typeof first === 'number' && typeof last === 'number') {
    throw new SwitchboardError('BAD_USER_INPUT', 'Give "first" or "last", not both.');
  }
  const backwards = typeof last === 'number';
  const size = (backwards ? last : first) ?? DEFAULT_PAGE_SIZE;
  if (size < 0 || size > MAX_PAGE_SIZE) {
    throw new SwitchboardError('BAD_USER_INPUT', `"${backwards ? 'last' : 'first'}" must be from 0 to ${MAX_PAGE_SIZE}.`);
  }
  return { size, backwards };
}

function writeCursor(list: string, id: number | string): string {
  return Buffer.from(`${list}:${id}`).toString('base64url');
}

const DECIMAL = /^[1-9]\d{0,17}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Parses a cursor. `form` matches the list's ids; Postgres would reject an id of another form. */
function readCursor(cursor: string | null | undefined, argument: string, list: string, form: RegExp): string | null {
  if (cursor === null || cursor === undefined) return null;
  const [name, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  if (name !== list || !form.test(id ?? '')) {
    throw new SwitchboardError('BAD_USER_INPUT', `"${argument}" is not a cursor of this list.`);
  }
  return id as string;
}

/**
 * Maximum difference between the time in an id, which is by the publisher's clock, and the row's `created_at`, which is by
 * Postgres's.
 */
const CLOCKS_APART_MS = HOUR_MS;

const LAST_MS = 2 ** 48 - 1;

/**
 * Returns the condition that rows were created after one time and before another, both exclusive. A missing time means no limit.
 * For ids that are UUIDs of version 7 it also limits the ids, so that a page costs one index scan, however many other rows there
 * are.
 */
export function createdBetween(after?: Date | null, before?: Date | null) {
  if (!after && !before) return {};
  const { from, to } = idRange(after, before);
  return {
    createdAt: { ...(after ? { $gt: toTimestamp(after) } : {}), ...(before ? { $lt: toTimestamp(before) } : {}) },
    id: { ...(after ? { $gt: from } : {}), ...(before ? { $lt: to } : {}) },
  };
}

/**
 * Returns the range of UUIDs of version 7 (RFC 9562 5.7) for rows created between two times, including the difference of the
 * clocks.
 */
export function idRange(after?: Date | null, before?: Date | null): { readonly from: string; readonly to: string } {
  return {
    from: idAt((after?.getTime() ?? 0) - CLOCKS_APART_MS, '0'),
    to: idAt((before?.getTime() ?? LAST_MS) + CLOCKS_APART_MS, 'f'),
  };
}

/** Returns the first or the last UUID of a millisecond. */
function idAt(ms: number, digit: '0' | 'f'): string {
  const hex = Math.min(LAST_MS, Math.max(0, Math.floor(ms)))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${digit.repeat(3)}-${digit === '0' ? '8' : 'b'}${digit.repeat(3)}-${digit.repeat(12)}`;
}
