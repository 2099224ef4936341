import type { ProblemList } from './errors.js';

/** The application's own notes on an object: flat, and never interpreted here. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

export const MAX_EXTERNAL_ID = 200;
const MAX_KEYS = 50;
const MAX_KEY = 40;
const MAX_TEXT = 500;

/**
 * Validates the application's own id of an object: 1 to 200 characters on one line, without a space at its ends. Undefined:
 * not given. Null: none. Adds problems to the list.
 */
export function checkExternalId(externalId: string | null | undefined, problems: ProblemList, ...path: string[]): void {
  if (externalId === undefined || externalId === null) return;
  const isFit = isText(externalId, MAX_EXTERNAL_ID) && externalId !== '' && externalId === externalId.trim();
  if (isFit && !/\p{Cc}/u.test(externalId)) return;
  const message = `An externalId has 1 to ${MAX_EXTERNAL_ID} characters on one line, and no space at its ends.`;
  problems.add('INVALID', message, ...path);
}

/**
 * Validates metadata: at most 50 keys of at most 40 characters; the values are text of at most 500 characters, numbers or
 * booleans. Adds problems to the list.
 */
export function checkMetadata(
  metadata: Readonly<Record<string, unknown>> | null | undefined,
  problems: ProblemList,
  ...path: string[]
): Metadata {
  const entries = Object.entries(metadata ?? {});
  if (entries.length > MAX_KEYS) {
    problems.add('MAX_VALUE', `Metadata has at most ${MAX_KEYS} keys.`, ...path);
    return {};
  }
  for (const [key, value] of entries) {
    if (key === '' || !isText(key, MAX_KEY)) {
      problems.add('INVALID', `A key of metadata has 1 to ${MAX_KEY} characters.`, ...path, key);
    } else if (typeof value === 'string') {
      if (!isText(value, MAX_TEXT)) problems.add('INVALID', `A text has at most ${MAX_TEXT} characters.`, ...path, key);
    } else if (typeof value !== 'boolean' && !(typeof value === 'number' && Number.isFinite(value))) {
      problems.add('INVALID', 'A value of metadata is a text, a number, true or false.', ...path, key);
    }
  }
  return Object.fromEntries(entries) as Metadata;
}

/**
 * Refuses externalId and metadata in the input of a session: only the application's keys may set them. Adds problems to the
 * list.
 */
export function refuseNotes(
  { session }: { readonly session: unknown },
  input: { readonly externalId?: unknown; readonly metadata?: unknown },
  problems: ProblemList,
): void {
  if (!session) return;
  for (const field of ['externalId', 'metadata'] as const) {
    if (input[field] === undefined) continue;
    problems.add('FORBIDDEN', `A session may not set "${field}": leave it out, or send it with an API key.`, field);
  }
}

/** Returns whether Postgres can store a text: without NUL and without halves of surrogate pairs. */
function isText(text: string, most: number): boolean {
  return text.length <= most && text.isWellFormed() && !text.includes('\0');
}
