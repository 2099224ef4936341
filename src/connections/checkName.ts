import type { ProblemList } from '../domain/ProblemList.js';

const MAX_LENGTH = 200;

/** A connection's name: trimmed, one line, at most 200 characters; blank means none. */
export function checkName(name: string | null | undefined, problems: ProblemList): string | null {
  const trimmed = name?.trim() ?? '';
  if (trimmed.length > MAX_LENGTH) problems.add('INVALID', `A name has at most ${MAX_LENGTH} characters.`, 'name');
  if (/\p{Cc}/u.test(trimmed)) problems.add('INVALID', 'A name has no control characters.', 'name');
  return trimmed === '' ? null : trimmed;
}
