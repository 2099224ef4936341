import { toTimestamp } from './toTimestamp.js';

/** How far an id's time may lie from its row's `created_at`: the one is the publisher's clock, the other Postgres's. */
const CLOCKS_APART_MS = 3_600_000;

const LAST_MS = 2 ** 48 - 1;

/**
 * The condition of a list that rows were created after one time and before another, both left out; no time is no limit.
 * For ids that are UUIDs of version 7 it bounds them too, so that a page is one look into the index, however much there is
 * beside it.
 */
export function createdBetween(after?: Date | null, before?: Date | null) {
  if (!after && !before) return {};
  const { from, to } = idRange(after, before);
  return {
    createdAt: { ...(after ? { $gt: toTimestamp(after) } : {}), ...(before ? { $lt: toTimestamp(before) } : {}) },
    id: { ...(after ? { $gt: from } : {}), ...(before ? { $lt: to } : {}) },
  };
}

/** Between which UUIDs of version 7 (RFC 9562 5.7) lies what was created between two times, clocks apart included. */
export function idRange(after?: Date | null, before?: Date | null): { readonly from: string; readonly to: string } {
  return {
    from: idAt((after?.getTime() ?? 0) - CLOCKS_APART_MS, '0'),
    to: idAt((before?.getTime() ?? LAST_MS) + CLOCKS_APART_MS, 'f'),
  };
}

/** The first or the last UUID of a millisecond. */
function idAt(ms: number, digit: '0' | 'f'): string {
  const hex = Math.min(LAST_MS, Math.max(0, Math.floor(ms)))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${digit.repeat(3)}-${digit === '0' ? '8' : 'b'}${digit.repeat(3)}-${digit.repeat(12)}`;
}
