export type ChangeKind = 'connection' | 'delivery';

/** What a notification says: which rows of an organization are new or different. What they are now, Postgres knows. */
export interface Change {
  readonly organizationId: number;
  readonly kind: ChangeKind;
  readonly ids: readonly string[];
}

/** Reads the payload of a notification, which our own triggers wrote. */
export function readChange(payload: string): Change {
  return JSON.parse(payload) as Change;
}
