import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import { canonicalJson } from './canonicalJson.js';
import type { PublishEventInput } from './PublishEventInput.js';

/**
 * What makes two events with one idempotency key the same, as text that is equal when they are. What an event doesn't have
 * is left out, so that events of before a field came keep their text.
 */
export function contentOf(event: Omit<PublishEventInput, 'idempotencyKey' | 'orderingKey'>): string {
  const { eventType, data, recipient, occurredAt, value, valueCurrency, properties } = event;
  const more = Object.entries({ occurredAt, value, valueCurrency, properties }).filter(([, field]) => (field ?? null) !== null);
  return canonicalJson([eventType, data, recipient ?? null, ...(more.length > 0 ? [Object.fromEntries(more)] : [])]);
}

/** An event as it is written, as far as it makes it the same or another. */
export interface ContentRow {
  readonly id: string;
  readonly eventType: string;
  /** JSON text. */
  readonly payload: string;
  /** Encrypted. */
  readonly recipient: string | null;
  readonly occurredAt: Date | null;
  readonly value: number | null;
  readonly valueCurrency: string | null;
  /** Encrypted. */
  readonly properties: string | null;
}

/** The same of an event that is written. Throws when the key of its recipient or its properties is not at hand. */
export function contentOfRow(cipher: Cipher, row: ContentRow): string {
  const { id, eventType, payload, occurredAt, value, valueCurrency } = row;
  const recipient = row.recipient && JSON.parse(cipher.decrypt(row.recipient, columnIdentity.recipient(id)));
  const properties = row.properties && JSON.parse(cipher.decrypt(row.properties, columnIdentity.properties(id)));
  return contentOf({ eventType, data: JSON.parse(payload), recipient, occurredAt, value, valueCurrency, properties });
}
