import { toTimestamp } from './toTimestamp.js';

/** The condition of a list that rows were created after one time and before another, both left out; no time is no limit. */
export function createdBetween(after?: Date | null, before?: Date | null) {
  if (!after && !before) return {};
  return { createdAt: { ...(after ? { $gt: toTimestamp(after) } : {}), ...(before ? { $lt: toTimestamp(before) } : {}) } };
}
