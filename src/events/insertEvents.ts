import { sql } from 'kysely';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import type { Caller } from '../domain/Caller.js';
import type { EventRow } from '../domain/Event.js';
import { InputError, type Problem } from '../domain/errors.js';
import type { Recipient } from '../domain/Recipient.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

/** One event as a publisher gives it. */
export interface PublishEventInput {
  readonly eventType: string;
  readonly data: Record<string, unknown>;
  /** Identifies this event for the publisher; 1 to 255 characters. */
  readonly idempotencyKey?: string | null;
  /**
   * Events with the same key, such as a parcel's number, reach each connection in the order of publishing. 1 to 255 characters.
   */
  readonly orderingKey?: string | null;
  readonly recipient?: Recipient | null;
  /** When the event happened; default: the time of publishing. After 2000, and at most a year ahead. */
  readonly occurredAt?: Date | null;
  /** The event's monetary value, for Klaviyo only. */
  readonly value?: number | null;
  /** ISO 4217, in upper case. Only with a value. */
  readonly valueCurrency?: string | null;
  /** Properties of the event in Klaviyo, for Klaviyo only. Flat; may be personal data. */
  readonly properties?: Record<string, unknown> | null;
}

/** What publishing needs from other folders. */
export interface PublishDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly eventTypes: EventTypeRegistry;
  /** Adds one delivery for every active subscription, in the publishing transaction, so that neither exists without the other. */
  readonly insertDeliveries: (
    em: EntityManager,
    batch: {
      readonly organizationId: number;
      readonly events: readonly { readonly id: string; readonly eventType: string; readonly orderingKey?: string | null }[];
    },
  ) => Promise<number>;
  /** Limits the waiting deliveries of an organization. Both functions throw TOO_MANY_WAITING. */
  readonly waitingQuota?: {
    /** Checks, before the transaction, whether there is any room. */
    check(organizationId: number): Promise<void>;
    /** Checks, as the transaction's last step, whether there is room for what it added. */
    take(em: EntityManager, organizationId: number, added: number): Promise<void>;
  };
  /** Wakes the workers after the commit. Without it they find the deliveries a little later. */
  readonly deliverySignal: { notify(): void };
}

/** An event to insert. */
export interface NewEvent extends EventRow {
  readonly organizationId: number;
  readonly idempotencyKey: string | null;
  readonly orderingKey: string | null;
  /** Fingerprint of the content that was published under the idempotency key; null without a key. */
  readonly contentHash: string | null;
  readonly createdAt: Date;
}

/**
 * Inserts events with their deliveries in one transaction. Returns one id for each row, in their order: the row's own, or that of
 * the earlier event with the same idempotency key and content. Two publishers with the same key wait for each other at the unique
 * index. Throws an InputError: CONFLICT; TOO_MANY_WAITING.
 */
export function insertEvents(
  {
    database,
    cipher,
    insertDeliveries,
    waitingQuota,
  }: Pick<PublishDependencies, 'database' | 'cipher' | 'insertDeliveries' | 'waitingQuota'>,
  { organizationId }: Pick<Caller, 'organizationId'>,
  rows: readonly NewEvent[],
): Promise<string[]> {
  return database.transaction(async (em) => {
    const inserted = await insertNew(database.sql(em), rows);
    const repeatedKeys = rows.filter(({ id }) => !inserted.has(id)).map(({ idempotencyKey }) => idempotencyKey as string);
    const byKey =
      repeatedKeys.length > 0 ? await findByKey(database.sql(em), organizationId, repeatedKeys) : new Map<string, Earlier>();

    const conflicts: Problem[] = [];
    const ids = rows.map((row, index) => {
      if (inserted.has(row.id)) return row.id;
      const earlier = byKey.get(row.idempotencyKey as string);
      if (!earlier || !isSame(cipher, row, earlier)) {
        const message = 'Another event with this idempotency key and different content was published before.';
        conflicts.push({ code: 'CONFLICT', message, path: ['events', String(index), 'idempotencyKey'] });
      }
      return earlier?.id ?? row.id;
    });
    if (conflicts.length > 0) throw new InputError(conflicts);

    const events = rows.filter(({ id }) => inserted.has(id));
    if (events.length > 0) {
      const added = await insertDeliveries(em, { organizationId, events });
      await waitingQuota?.take(em, organizationId, added);
    }
    return ids;
  });
}

type Sql = ReturnType<PublishDependencies['database']['sql']>;

interface Earlier extends EventRow {
  readonly idempotency_key: string;
  /** Null for events that are older than fingerprints. */
  readonly content_hash: string | null;
}

/** Compares fingerprints when both are under the same encryption key. Otherwise, as after a rotation, compares the content. */
function isSame(cipher: Cipher, row: NewEvent, earlier: Earlier): boolean {
  if (earlier.content_hash?.startsWith(cipher.fingerprintPrefix)) return earlier.content_hash === row.contentHash;
  // Queries that bypass the ORM return times as Postgres prints them.
  const occurredAt = earlier.occurredAt && new Date(earlier.occurredAt);
  return contentOfRow(cipher, row) === contentOfRow(cipher, { ...earlier, occurredAt });
}

/** Inserts the rows. Returns the ids of those whose idempotency key was new. */
export async function insertNew(db: Sql, rows: readonly NewEvent[]): Promise<Set<string>> {
  const { rows: inserted } = await sql<{ id: string }>`
    insert into events (id, organization_id, event_type, payload, recipient, occurred_at, value, value_currency, properties,
      idempotency_key, ordering_key, content_hash, created_at)
    select * from unnest(
      ${rows.map(({ id }) => id)}::uuid[],
      ${rows.map(({ organizationId }) => organizationId)}::bigint[],
      ${rows.map(({ eventType }) => eventType)}::text[],
      ${rows.map(({ payload }) => payload)}::json[],
      ${rows.map(({ recipient }) => recipient)}::text[],
      ${rows.map(({ occurredAt }) => occurredAt?.toISOString() ?? null)}::timestamptz[],
      ${rows.map(({ value }) => value)}::float8[],
      ${rows.map(({ valueCurrency }) => valueCurrency)}::text[],
      ${rows.map(({ properties }) => properties)}::text[],
      ${rows.map(({ idempotencyKey }) => idempotencyKey)}::text[],
      ${rows.map(({ orderingKey }) => orderingKey)}::text[],
      ${rows.map(({ contentHash }) => contentHash)}::text[],
      ${rows.map(({ createdAt }) => createdAt.toISOString())}::timestamptz[]
    )
    on conflict (organization_id, idempotency_key) where idempotency_key is not null do nothing
    returning id`.execute(db);
  return new Set(inserted.map(({ id }) => id));
}

async function findByKey(db: Sql, organizationId: number, keys: readonly string[]): Promise<Map<string, Earlier>> {
  const { rows } = await sql<Earlier>`
    select id, idempotency_key, content_hash, event_type as "eventType", payload::text as payload, recipient,
      occurred_at as "occurredAt", value, value_currency as "valueCurrency", properties
    from events
    where organization_id = ${organizationId} and idempotency_key = any(${keys}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.idempotency_key, row]));
}

/** Builds the row of a checked event. `payload` is its data as JSON text. */
export function newEvent(
  cipher: Cipher,
  { organizationId }: Pick<Caller, 'organizationId'>,
  input: PublishEventInput,
  payload: string,
): NewEvent {
  const id = newId();
  const { eventType, data, recipient, idempotencyKey = null, orderingKey = null } = input;
  const { occurredAt = null, value = null, valueCurrency = null } = input;
  const properties = input.properties && Object.keys(input.properties).length > 0 ? input.properties : null;
  return {
    id,
    organizationId,
    eventType,
    payload,
    recipient: recipient ? cipher.encrypt(JSON.stringify(recipient), columnIdentity.recipient(id)) : null,
    occurredAt,
    value,
    valueCurrency,
    properties: properties && cipher.encrypt(JSON.stringify(properties), columnIdentity.properties(id)),
    idempotencyKey,
    orderingKey,
    contentHash:
      idempotencyKey === null
        ? null
        : cipher.fingerprint(
            contentOf({ eventType, data, recipient, occurredAt, value, valueCurrency, properties }),
            `events:${organizationId}:${idempotencyKey}`,
          ),
    createdAt: new Date(),
  };
}

/**
 * Returns the content of an event as text that is equal for equal events. Two events with the same idempotency key must have
 * equal content. Absent fields are left out, so that adding a field does not change the text of older events.
 */
export function contentOf(event: Omit<PublishEventInput, 'idempotencyKey' | 'orderingKey'>): string {
  const { eventType, data, recipient, occurredAt, value, valueCurrency, properties } = event;
  const more = Object.entries({ occurredAt, value, valueCurrency, properties }).filter(([, field]) => (field ?? null) !== null);
  return canonicalJson([eventType, data, recipient ?? null, ...(more.length > 0 ? [Object.fromEntries(more)] : [])]);
}

/** Returns the same text for an event's row. Throws when the encryption key of its recipient or properties is missing. */
function contentOfRow(cipher: Cipher, row: EventRow): string {
  const { id, eventType, payload, occurredAt, value, valueCurrency } = row;
  const recipient = row.recipient && JSON.parse(cipher.decrypt(row.recipient, columnIdentity.recipient(id)));
  const properties = row.properties && JSON.parse(cipher.decrypt(row.properties, columnIdentity.properties(id)));
  return contentOf({ eventType, data: JSON.parse(payload), recipient, occurredAt, value, valueCurrency, properties });
}

/** Returns JSON with the keys of every object sorted, so that equal content is equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
