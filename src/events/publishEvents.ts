import type { Caller } from '../domain/Caller.js';
import { Event } from '../domain/Event.js';
import { InputError } from '../domain/InputError.js';
import { ProblemList } from '../domain/ProblemList.js';
import { checkPublishInput } from './checkPublishInput.js';
import { insertEvents, type NewEvent } from './insertEvents.js';
import { newEvent } from './newEvent.js';
import type { PublishDependencies } from './PublishDependencies.js';
import type { PublishEventInput } from './PublishEventInput.js';

const MAX_EVENTS = 1_000;

export interface PublishedEvent {
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
