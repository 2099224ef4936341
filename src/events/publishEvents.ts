import type { Caller } from '../domain/Caller.js';
import { DAY_MS } from '../domain/duration.js';
import { Event } from '../domain/Event.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { checkRecipient, checkText } from '../domain/Recipient.js';
import { insertEvents, type NewEvent, newEvent, type PublishDependencies, type PublishEventInput } from './insertEvents.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

const MAX_EVENTS = 1_000;

interface PublishedEvent {
  readonly event: Pick<
    Event,
    'id' | 'eventType' | 'payload' | 'idempotencyKey' | 'orderingKey' | 'occurredAt' | 'value' | 'valueCurrency' | 'createdAt'
  >;
  /** True when an event with this idempotency key and content already existed. The result is then the existing event. */
  readonly duplicate: boolean;
}

/**
 * Publishes up to 1,000 events, all or none: checks them against the schemas of their types, then writes the events and one
 * delivery for each active subscription in one transaction. Acknowledged events are never lost, and events without an
 * acknowledgement are never partly stored. Throws an InputError whose paths begin with `events`.
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

/** Maximum bytes of one event's data as JSON: far more than any parcel event has, far less than a receiver cannot handle. */
const MAX_DATA_BYTES = 256 * 1024;

/** A null character as JSON writes it. After an odd number of further backslashes it is ordinary text. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * Checks one event before anything is written. Returns its data as the JSON text that is stored and sent. `path` is the event's
 * position in the input. Adds problems to the list.
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

/** Klaviyo accepts times after 2000 and at most a year ahead. One day less at each end, for clocks and time zones. */
const EARLIEST = Date.parse('2000-01-02T00:00:00Z');
const FURTHEST_AHEAD_MS = 365 * DAY_MS;

/** Klaviyo accepts 300 properties for an event. The rest is for the properties made from the event's data. */
const MAX_PROPERTIES = 200;
const MAX_NAME = 100;
/** Bytes of UTF-8. Klaviyo documents 100 KB, read as the smaller of its two meanings. */
const MAX_TEXT_BYTES = 100_000;
/** Maximum bytes of all properties as JSON. */
const MAX_BYTES = 256 * 1024;

/** Klaviyo reserves names that begin with `$`; other systems reserve names that begin with `_`. */
const NAME = /^[^\p{C}\p{Z}$_](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u;

/** Checks the event's fields for Klaviyo against Klaviyo's limits. Adds problems to the list. */
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
