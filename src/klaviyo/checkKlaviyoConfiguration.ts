import { MOST_PROBLEMS, type ProblemList } from '../domain/errors.js';
import { SCOPE_TOKEN } from '../domain/ProviderScope.js';
import type { LinkedConfiguration, Provider } from '../oauth/Provider.js';

/** The input that GraphQL and REST share. Null and absent both mean "not given". */
export interface KlaviyoInput {
  readonly scopes?: readonly string[] | null;
}

/** The requested scopes. The granted ones are in the connection's credential. */
export interface StoredKlaviyo {
  readonly configuration: LinkedConfiguration;
  readonly secrets: null;
}

/** Null when this server has neither a Klaviyo app nor the sandbox. */
type Scopes = Pick<Provider, 'scopes' | 'defaultScopes'> | null;

/** Klaviyo has about fifty. */
const MAX_SCOPES = 100;

const NO_SCOPES: StoredKlaviyo = { configuration: { scopes: [] }, secrets: null };

/**
 * Checks the form of the scopes (RFC 6749 3.3) and adds those that every authorization needs. Adds problems to the list. Keeps a
 * scope that is not in the catalogue: Klaviyo may have added it, and ignores unknown ones.
 */
export function checkKlaviyo(
  input: KlaviyoInput,
  stored: StoredKlaviyo | null,
  klaviyo: Scopes,
  problems: ProblemList,
): StoredKlaviyo {
  if (!klaviyo) {
    const message = 'Klaviyo is not set up on this server: its operator has to set KLAVIYO_CLIENT_ID.';
    problems.add('INVALID', message, stored ? 'klaviyo' : 'type');
    return NO_SCOPES;
  }
  if (input.scopes && input.scopes.length > MAX_SCOPES) {
    problems.add('MAX_VALUE', `At most ${MAX_SCOPES} scopes.`, 'klaviyo', 'scopes');
    return NO_SCOPES;
  }
  input.scopes?.forEach((scope, index) => {
    if (SCOPE_TOKEN.test(scope)) return;
    const message = 'A scope has 1 to 100 characters, such as events:write, without spaces, quotation marks and backslashes.';
    problems.add('INVALID', message, 'klaviyo', 'scopes', String(index));
  });
  const required = klaviyo.scopes.filter((scope) => scope.required).map(({ name }) => name);
  const scopes = [...new Set([...required, ...(input.scopes ?? stored?.configuration.scopes ?? klaviyo.defaultScopes)])];
  return { configuration: { scopes }, secrets: null };
}

/** Returns warnings about scopes of an accepted input that are not in the catalogue; 20 at most. */
export function warnOfScopes(input: KlaviyoInput, klaviyo: Scopes) {
  const known = new Set(klaviyo?.scopes.map(({ name }) => name));
  const unknown = (input.scopes ?? []).flatMap((scope, index) => (known.has(scope) ? [] : [index]));
  return unknown.slice(0, MOST_PROBLEMS).map((index) => ({
    code: 'UNKNOWN_SCOPE' as const,
    message:
      'This scope is not among those that klaviyoScopes lists. It will be asked for; see missingScopes for what Klaviyo grants.',
    path: ['klaviyo', 'scopes', String(index)],
  }));
}
