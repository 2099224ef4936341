import type { KlaviyoEventBody } from './events/KlaviyoEvent.js';

/** The body of one `POST /api/event-bulk-create-jobs` (operation bulk_create_events), and its items. */
export interface BulkRequest<Item> {
  readonly body: string;
  /** The items of each profile in the body: `profiles[i][j]` is event `j` of profile `i`. */
  readonly profiles: readonly (readonly Item[])[];
}

export interface BulkItem {
  readonly event: KlaviyoEventBody;
}

/** Klaviyo's limit is 5 MB. It does not document whether a kB has 1,000 or 1,024 bytes. */
const MAX_BYTES = 5_000_000;

/** Bytes of the body around the events. */
const FRAME_BYTES = 1_000;

/**
 * Distributes events over as few requests as their size allows. Events of one profile stay together, in their order. No two items
 * may have the same `unique_id`, because Klaviyo would refuse the whole request.
 */
export function toBulkRequests<Item extends BulkItem>(items: readonly Item[]): BulkRequest<Item>[] {
  const requests: BulkRequest<Item>[] = [];
  let part: Item[] = [];
  let bytes = FRAME_BYTES;
  for (const item of items) {
    // Counts a profile for each event, so the estimate is slightly too high.
    const size = Buffer.byteLength(JSON.stringify(item.event)) + 100;
    if (part.length > 0 && bytes + size > MAX_BYTES) {
      requests.push(toBulkRequest(part));
      part = [];
      bytes = FRAME_BYTES;
    }
    part.push(item);
    bytes += size;
  }
  if (part.length > 0) requests.push(toBulkRequest(part));
  return requests;
}

function toBulkRequest<Item extends BulkItem>(items: readonly Item[]): BulkRequest<Item> {
  const byProfile = Map.groupBy(items, ({ event }) => JSON.stringify(event.data.attributes.profile));
  const data = [...byProfile].map(([profile, events]) => ({
    type: 'event-bulk-create',
    attributes: {
      profile: JSON.parse(profile),
      events: {
        data: events.map(({ event }) => {
          const { profile: _, ...attributes } = event.data.attributes;
          return { type: 'event', attributes };
        }),
      },
    },
  }));
  const body = { data: { type: 'event-bulk-create-job', attributes: { 'events-bulk-create': { data } } } };
  return { body: JSON.stringify(body), profiles: [...byProfile.values()] };
}

/**
 * Returns the items that a refusal names by its pointers (JSON:API, `source`), such as
 * `/data/attributes/events-bulk-create/data/3/attributes/events/data/0/attributes/time`. A pointer to a profile means all of its
 * events.
 */
export function readRefused<Item>(answer: string, { profiles }: BulkRequest<Item>): Set<Item> {
  const refused = new Set<Item>();
  for (const pointer of readPointers(answer)) {
    const [, profile, event] = POINTER.exec(pointer) ?? [];
    const items = profile === undefined ? undefined : profiles[Number(profile)];
    for (const [index, item] of (items ?? []).entries()) {
      if (event === undefined || Number(event) === index) refused.add(item);
    }
  }
  return refused;
}

const POINTER = /\/events-bulk-create\/data\/(\d{1,4})(?:\/attributes\/events\/data\/(\d{1,4}))?/;

function readPointers(answer: string): string[] {
  try {
    const { errors } = JSON.parse(answer) as { errors?: { source?: { pointer?: unknown } }[] };
    if (!Array.isArray(errors)) return [];
    return errors.map((error) => error?.source?.pointer).filter((pointer) => typeof pointer === 'string');
  } catch {
    return [];
  }
}
