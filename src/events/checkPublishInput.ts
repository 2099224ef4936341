import type { ProblemList } from '../domain/ProblemList.js';
import { checkRecipient, checkText } from '../domain/Recipient.js';
import { checkForKlaviyo } from './checkForKlaviyo.js';
import type { PublishEventInput } from './PublishEventInput.js';
import type { EventTypeRegistry } from './types/eventTypeRegistry.js';

/** Bytes of one event's data as JSON: far above any parcel event, far below what would burden a receiver. */
const MAX_DATA_BYTES = 256 * 1024;

/** A null character as JSON writes it; after an uneven number of backslashes it is text that happens to look so. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

/**
 * Checks one event before anything is written, and returns its data as the JSON text that is stored and sent.
 * `path` is where the event stands in the input. Problems go to the list.
 */
export function checkPublishInput(
  registry: EventTypeRegistry,
  input: PublishEventInput,
  path: string[],
  problems: ProblemList,
): string {
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
