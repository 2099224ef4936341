import type { KlaviyoConfiguration } from '../domain/Connection.js';
import { MOST_PROBLEMS, type ProblemList } from '../domain/ProblemList.js';
import { SCOPE_TOKEN } from '../domain/ProviderScope.js';
import type { KlaviyoInput } from './ConnectionInput.js';
import type { ConnectionRules } from './ConnectionRules.js';

/** Klaviyo has some fifty. */
const MAX_SCOPES = 100;

/** Something about an input that was accepted, and that somebody may want to look at. */
export interface Warning {
  readonly code: 'UNKNOWN_SCOPE';
  readonly message: string;
  readonly path: readonly string[];
}

/**
 * Checks the form of the scopes (RFC 6749 3.3); those that every authorization needs are added. Problems go to the list.
 * A scope that is not in the catalogue is kept: Klaviyo may have it since, and ignores what it doesn't know.
 */
export function checkKlaviyo(
  input: KlaviyoInput,
  stored: KlaviyoConfiguration | null,
  { klaviyo }: ConnectionRules,
  problems: ProblemList,
): KlaviyoConfiguration {
  if (!klaviyo) {
    const message = 'Klaviyo is not set up on this server: its operator has to set KLAVIYO_CLIENT_ID.';
    problems.add('INVALID', message, stored ? 'klaviyo' : 'type');
    return { scopes: [] };
  }
  if (input.scopes && input.scopes.length > MAX_SCOPES) {
    problems.add('MAX_VALUE', `At most ${MAX_SCOPES} scopes.`, 'klaviyo', 'scopes');
    return { scopes: [] };
  }
  input.scopes?.forEach((scope, index) => {
    if (SCOPE_TOKEN.test(scope)) return;
    const message = 'A scope has 1 to 100 characters, such as events:write, without spaces, quotation marks and backslashes.';
    problems.add('INVALID', message, 'klaviyo', 'scopes', String(index));
  });
  const required = klaviyo.scopes.filter((scope) => scope.required).map(({ name }) => name);
  return { scopes: [...new Set([...required, ...(input.scopes ?? stored?.scopes ?? klaviyo.defaultScopes)])] };
}

/** Tells of scopes that are not in the catalogue, of an input that was accepted; 20 at most. */
export function warnOfScopes(input: KlaviyoInput | null | undefined, { klaviyo }: ConnectionRules): Warning[] {
  const known = new Set(klaviyo?.scopes.map(({ name }) => name));
  const unknown = (input?.scopes ?? []).flatMap((scope, index) => (known.has(scope) ? [] : [index]));
  return unknown.slice(0, MOST_PROBLEMS).map((index) => ({
    code: 'UNKNOWN_SCOPE',
    message:
      'This scope is not among those that klaviyoScopes lists. It will be asked for; see missingScopes for what Klaviyo grants.',
    path: ['klaviyo', 'scopes', String(index)],
  }));
}
