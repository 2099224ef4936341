import type { Tone } from '../design/Badge.js';
import type { IconName } from '../design/Icon.js';
import { graphql } from '../graphql/gql.js';
import type { DeliveryFilter, DeliveryRowFragment, DeliveryStatus } from '../graphql/graphql.js';

/** What a list shows of a delivery, and what live updates bring. */
export const DELIVERY_ROW = graphql(`
  fragment DeliveryRow on Delivery {
    id
    status
    attemptCount
    nextAttemptAt
    createdAt
    updatedAt
    event { id eventType }
    connection {
      id
      name
      type
      account { id name }
      configuration {
        __typename
        ... on WebhookConfiguration { url }
      }
    }
  }
`);

export type DeliveryRow = DeliveryRowFragment;

export const STATUSES = [
  'PENDING',
  'RETRYING',
  'HELD',
  'DELIVERED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
] as const satisfies readonly DeliveryStatus[];

export const LOOKS: Readonly<Record<DeliveryStatus, { readonly tone: Tone; readonly icon?: IconName }>> = {
  PENDING: { tone: 'still', icon: 'clock' },
  RETRYING: { tone: 'wait', icon: 'retry' },
  HELD: { tone: 'wait', icon: 'pause' },
  DELIVERED: { tone: 'good' },
  FAILED: { tone: 'bad' },
  CANCELLED: { tone: 'still', icon: 'cross' },
  EXPIRED: { tone: 'bad', icon: 'clock' },
};

/** Times that a list may reach back to, in minutes, by how its address names them. */
export const SPANS = { '1h': 60, '24h': 1_440, '7d': 10_080, '30d': 43_200 } as const;
export type Span = keyof typeof SPANS;

/** A list's filter as its address holds it. */
export interface Choices {
  readonly status: DeliveryStatus | '';
  readonly connection: string;
  readonly type: string;
  readonly span: Span | '';
  readonly event: string;
}

/** Reads the filter of an address; what is unknown there is left out. */
export function readChoices(parameters: URLSearchParams): Choices {
  return {
    status: STATUSES.find((one) => one === parameters.get('status')) ?? '',
    connection: parameters.get('connection') ?? '',
    type: parameters.get('type') ?? '',
    span: (Object.keys(SPANS) as Span[]).find((one) => one === parameters.get('span')) ?? '',
    event: parameters.get('event') ?? '',
  };
}

/** Returns the API's filter of these choices, as of a time in milliseconds. */
export function toFilter({ status, connection, type, span, event }: Choices, now: number): DeliveryFilter {
  return {
    ...(status ? { status } : {}),
    ...(connection ? { connectionId: connection } : {}),
    ...(type ? { eventType: type } : {}),
    ...(span ? { createdAfter: new Date(now - SPANS[span] * 60_000).toISOString() } : {}),
    ...(event ? { eventId: event } : {}),
  };
}

/** Returns whether a delivery belongs into a list, as the API would decide. */
export function fits(row: DeliveryRow, filter: DeliveryFilter): boolean {
  return (
    (!filter.status || filter.status === row.status) &&
    (!filter.connectionId || filter.connectionId === row.connection?.id) &&
    (!filter.eventType || filter.eventType === row.event.eventType) &&
    (!filter.eventId || filter.eventId === row.event.id) &&
    (!filter.createdAfter || Date.parse(row.createdAt) > Date.parse(filter.createdAfter))
  );
}
