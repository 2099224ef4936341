import { sql } from 'kysely';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import { newId } from '../database/newId.js';
import type { Caller } from '../domain/Caller.js';
import type { EventRow } from '../domain/Event.js';
import { InputError, type Problem } from '../domain/errors.js';
import type { PublishDependencies, PublishEventInput } from './publishEvents.js';

/** An event as it is written. */
export interface NewEvent extends EventRow {
  readonly organizationId: number;
  readonly idempotencyKey: string | null;
  readonly orderingKey: string | null;
  /** A fingerprint of what was published under the idempotency key; null without one. */
  readonly contentHash: string | null;
  readonly createdAt: Date;
}

/**
 * Writes events with their deliveries in one transaction and returns, in the order of the rows, the id that stands for
 * each: its own, or the one of the earlier event with the same idempotency key and content.
 * Two publishers with the same key take turns at the unique index. Throws an InputError: CONFLICT; TOO_MANY_WAITING.
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
  /** Null for events from before fingerprints. */
  readonly content_hash: string | null;
}

/** By their fingerprints, when both are under the same key; else, as after a rotation, by what they hold. */
function isSame(cipher: Cipher, row: NewEvent, earlier: Earlier): boolean {
  if (earlier.content_hash?.startsWith(cipher.fingerprintPrefix)) return earlier.content_hash === row.contentHash;
  // Past the entities, times come as Postgres writes them.
  const occurredAt = earlier.occurredAt && new Date(earlier.occurredAt);
  return contentOfRow(cipher, row) === contentOfRow(cipher, { ...earlier, occurredAt });
}

/** Writes the rows; returns the ids of those whose idempotency key was new. */
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

/** The row of an event that was checked. `payload` is its data as JSON text. */
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
 * What makes two events with one idempotency key the same, as text that is equal when they are. What an event doesn't have
 * is left out, so that events of before a field came keep their text.
 */
export function contentOf(event: Omit<PublishEventInput, 'idempotencyKey' | 'orderingKey'>): string {
  const { eventType, data, recipient, occurredAt, value, valueCurrency, properties } = event;
  const more = Object.entries({ occurredAt, value, valueCurrency, properties }).filter(([, field]) => (field ?? null) !== null);
  return canonicalJson([eventType, data, recipient ?? null, ...(more.length > 0 ? [Object.fromEntries(more)] : [])]);
}

/** The same of an event's row. Throws when the key of its recipient or its properties is not at hand. */
function contentOfRow(cipher: Cipher, row: EventRow): string {
  const { id, eventType, payload, occurredAt, value, valueCurrency } = row;
  const recipient = row.recipient && JSON.parse(cipher.decrypt(row.recipient, columnIdentity.recipient(id)));
  const properties = row.properties && JSON.parse(cipher.decrypt(row.properties, columnIdentity.properties(id)));
  return contentOf({ eventType, data: JSON.parse(payload), recipient, occurredAt, value, valueCurrency, properties });
}

/** JSON with the keys of every object in order, so that equal content is equal text however it was written. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
