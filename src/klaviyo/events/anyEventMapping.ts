import { addFlattened } from './addFlattened.js';
import type { EventMapping } from './eventMapping.js';
import { readableName } from './readableName.js';

/** Klaviyo wants fewer than 128 characters. */
const MAX_METRIC_NAME = 127;

/** For event types that have no mapping of their own: `connections.disabled` is the metric "Connections Disabled". */
export const anyEventMapping: EventMapping = {
  metricName: (eventType) => readableName(eventType).slice(0, MAX_METRIC_NAME),
  addProperties: (bag, data) => addFlattened(bag, data, [], { depth: 4, fields: 300 }),
  occurredAt: (data) => data.occurred_at,
};
