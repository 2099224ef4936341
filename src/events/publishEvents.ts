import type { Cipher } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { DAY_MS } from '../domain/duration.js';
import { Event } from '../domain/Event.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { checkRecipient, checkText, type Recipient } from '../domain/Recipient.js';
import { insertEvents, type NewEvent, newEvent } from './insertEvents.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

const MAX_EVENTS = 1_000;

interface PublishedEvent {
  readonly event: Pick<
    Event,
    'id' | 'eventType' | 'payload' | 'idempotencyKey' | 'orderingKey' | 'occurredAt' | 'value' | 'valueCurrency' | 'createdAt'
  >;
  /** True when an event with this idempotency key and content was there already: it is the one returned. */
  readonly duplicate: boolean;
}

/**
 * Publishes up to 1,000 events, all or none: checks them against the schemas of their types, then writes the events and
 * one delivery for each active subscription in one transaction. What was answered is never missing; what was not, never
 * half there. Throws an InputError whose paths begin with `events`.
 */
export async function publishEvents(
  dependencies: PublishDependencies,
  caller: Caller,
  inputs: readonly PublishEventInput[],
): Promise<PublishedEvent[]> {
  if (inputs.length === 0) throw InputError.of('REQUIRED', 'Give at least one event.', 'events');
  if (inputs.length > MAX_EVENTS)
    throw InputError.of('MAX_VALUE', `Give at most ${MAX_EVENTS} events at once, not ${inputs.length}.`, 'events');
  const problems = new ProblemList();
  const payloads = inputs.map((input, index) =>
    checkPublishInput(dependencies.eventTypes, input, ['events', String(index)], problems),
  );
  problems.throwIfAny();

  await dependencies.waitingQuota?.check(caller.organizationId);
  const rows: NewEvent[] = inputs.map((input, index) => newEvent(dependencies.cipher, caller, input, payloads[index] as string));
  const ids = await insertEvents(dependencies, caller, rows);
  dependencies.deliverySignal.notify();
  return answers(dependencies, inputs, rows, ids);
}

/** Publishes one event. Throws an InputError whose paths begin with the event's own fields. */
export async function publishEvent(
  dependencies: PublishDependencies,
  caller: Caller,
  input: PublishEventInput,
): Promise<PublishedEvent> {
  try {
    const [published] = await publishEvents(dependencies, caller, [input]);
    return published as PublishedEvent;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((problem) => ({ ...problem, path: problem.path.slice(2) })));
  }
}

async function answers(
  { database }: PublishDependencies,
  inputs: readonly PublishEventInput[],
  rows: readonly NewEvent[],
  ids: readonly string[],
): Promise<PublishedEvent[]> {
  const repeated = ids.filter((id, index) => id !== rows[index]?.id);
  const earlier = new Map(
    (await (repeated.length > 0 ? database.em().find(Event, { id: { $in: repeated } }) : [])).map((event) => [event.id, event]),
  );
  return rows.map((row, index) => {
    const found = earlier.get(ids[index] as string);
    if (found) return { event: found, duplicate: true };
    const { data } = inputs[index] as PublishEventInput;
    return { event: { ...row, payload: data }, duplicate: false };
  });
}

export interface PublishEventInput {
  readonly eventType: string;
  readonly data: Record<string, unknown>;
  /** The publisher's own name for this event, 1 to 255 characters. */
  readonly idempotencyKey?: string | null;
  /** Events of one key, such as a parcel's number, reach each connection in the order of publishing. 1 to 255 characters. */
  readonly orderingKey?: string | null;
  readonly recipient?: Recipient | null;
  /** When it happened; the time of publishing when not given. After 2000, and at most a year ahead. */
  readonly occurredAt?: Date | null;
  /** What it is worth, for Klaviyo only. */
  readonly value?: number | null;
  /** ISO 4217, in capitals; only with a value. */
  readonly valueCurrency?: string | null;
  /** Properties of the event in Klaviyo, for Klaviyo only: flat, and possibly personal. */
  readonly properties?: Record<string, unknown> | null;
}

/** What publishing needs of the rooms beside it. */
export interface PublishDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly eventTypes: EventTypeRegistry;
  /** Adds one delivery for every active subscription, in the publishing transaction: neither exists without the other. */
  readonly insertDeliveries: (
    em: EntityManager,
    batch: {
      readonly organizationId: number;
      readonly events: readonly { readonly id: string; readonly eventType: string; readonly orderingKey?: string | null }[];
    },
  ) => Promise<number>;
  /** How many deliveries of an organization may wait. Both throw TOO_MANY_WAITING. */
  readonly waitingQuota?: {
    /** Before anything is done: whether there is any room. */
    check(organizationId: number): Promise<void>;
    /** The last step of a publishing transaction: whether there is room for what it added. */
    take(em: EntityManager, organizationId: number, added: number): Promise<void>;
  };
  /** Tells the workers, once it is committed. A worker finds the deliveries without it too, a little later. */
  readonly deliverySignal: { notify(): void };
}

/** Bytes of one event's data as JSON: far above any parcel event, far below what would burden a receiver. */
const MAX_DATA_BYTES = 256 * 1024;

/** A null character as JSON writes it; after an uneven number of backslashes it is text that happens to look so. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * Checks one event before anything is written, and returns its data as the JSON text that is stored and sent.
 * `path` is where the event stands in the input. Problems go to the list.
 */
function checkPublishInput(registry: EventTypeRegistry, input: PublishEventInput, path: string[], problems: ProblemList): string {
  checkText(input.idempotencyKey, problems, ...path, 'idempotencyKey');
  checkText(input.orderingKey, problems, ...path, 'orderingKey');
  if (input.recipient) checkRecipient(input.recipient, problems, ...path, 'recipient');
  checkForKlaviyo(input, path, problems);
  const type = registry.get(input.eventType);
  if (!type || type.internal) {
    const names = registry.list().filter(({ internal }) => !internal);
    const what = type ? 'This event type is published by the server itself' : 'There is no such event type';
    const message = `${what}. You can publish: ${names.map(({ name }) => name).join(', ')}.`;
    problems.add(type ? 'FORBIDDEN' : 'INVALID_CHOICE', message, ...path, 'eventType');
    return '';
  }
  const payload = JSON.stringify(input.data);
  if (Buffer.byteLength(payload) > MAX_DATA_BYTES) {
    problems.add('INVALID', `The data has more than ${MAX_DATA_BYTES / 1024} KiB.`, ...path, 'data');
    return payload;
  }
  if (NUL.test(payload)) problems.add('INVALID', 'The data holds a null character, which can not be stored.', ...path, 'data');
  for (const problem of registry.validate(input.eventType, input.data)) {
    problems.add(problem.code, problem.message, ...path, 'data', ...problem.path);
  }
  return payload;
}

/** Klaviyo takes times after 2000, and at most a year ahead. A day's margin, for clocks and time zones. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
const FURTHEST_AHEAD_MS = 365 * DAY_MS;

/** Klaviyo takes 300 properties of an event; the rest is for what the event's data becomes. */
const MAX_PROPERTIES = 200;
const MAX_NAME = 100;
/** Bytes of UTF-8. Klaviyo says 100 KB, taken as the smaller reading. */
const MAX_TEXT_BYTES = 100_000;
/** Bytes of all properties as JSON. */
const MAX_BYTES = 256 * 1024;

/** `$` begins the names that Klaviyo keeps to itself, `_` those that others keep to themselves. */
const NAME = /^[^\p{C}\p{Z}$_](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u;

/** Checks what an event says of itself for Klaviyo alone, within Klaviyo's limits. Problems go to the list. */
export function checkForKlaviyo(input: PublishEventInput, path: readonly string[], problems: ProblemList): void {
  const { occurredAt, value, valueCurrency, properties } = input;
  if (occurredAt) {
    const time = occurredAt.getTime();
    if (!(time >= EARLIEST && time <= Date.now() + FURTHEST_AHEAD_MS)) {
      problems.add('INVALID', 'The time must be later than 2000-01-01, and at most a year ahead.', ...path, 'occurredAt');
    }
  }
  if (typeof value === 'number' && !Number.isFinite(value)) problems.add('INVALID', 'The value is no number.', ...path, 'value');
  if (typeof valueCurrency === 'string') {
    if (!/^[A-Z]{3}$/.test(valueCurrency)) {
      problems.add('INVALID', 'A currency has three capital letters (ISO 4217), such as EUR.', ...path, 'valueCurrency');
    } else if (typeof value !== 'number') {
      problems.add('REQUIRED', 'A currency goes with a value.', ...path, 'value');
    }
  }
  if (properties) checkProperties(properties, [...path, 'properties'], problems);
}

function checkProperties(properties: Readonly<Record<string, unknown>>, path: readonly string[], problems: ProblemList): void {
  const entries = Object.entries(properties);
  if (entries.length > MAX_PROPERTIES) {
    problems.add('MAX_VALUE', `An event takes at most ${MAX_PROPERTIES} properties.`, ...path);
    return;
  }
  if (Buffer.byteLength(JSON.stringify(properties)) > MAX_BYTES) {
    problems.add('INVALID', `The properties have more than ${MAX_BYTES / 1024} KiB.`, ...path);
    return;
  }
  for (const [name, property] of entries) {
    if (name.length > MAX_NAME || !NAME.test(name)) {
      const message = `A property's name has 1 to ${MAX_NAME} characters on one line, and begins neither with $, _ nor a space.`;
      problems.add('INVALID', message, ...path, name);
    } else if (typeof property === 'string') {
      if (Buffer.byteLength(property) > MAX_TEXT_BYTES || property.includes('\0')) {
        const message = `A text has at most ${MAX_TEXT_BYTES} bytes, and no null character.`;
        problems.add('INVALID', message, ...path, name);
      }
    } else if (typeof property !== 'boolean' && !(typeof property === 'number' && Number.isFinite(property))) {
      const message = 'A property is a text, a number, true or false: give the fields of an object as properties of their own.';
      problems.add('INVALID', message, ...path, name);
    }
  }
}
