import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import { canonicalJson } from './canonicalJson.js';

/** What makes two events with one idempotency key the same, as text that is equal when they are. */
export function contentOf({ eventType, data, recipient }: { eventType: string; data: unknown; recipient: unknown }): string {
  return canonicalJson([eventType, data, recipient ?? null]);
}

/** The same of an event that is written. Throws when the key of its recipient is not at hand. */
export function contentOfRow(
  cipher: Cipher,
  row: { readonly id: string; readonly eventType: string; readonly payload: string; readonly recipient: string | null },
): string {
  const recipient = row.recipient && JSON.parse(cipher.decrypt(row.recipient, columnIdentity.recipient(row.id)));
  return contentOf({ eventType: row.eventType, data: JSON.parse(row.payload), recipient });
}
