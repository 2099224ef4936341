import type { KlaviyoConfiguration } from '../domain/Connection.js';
import type { ProblemList } from '../domain/ProblemList.js';
import type { KlaviyoInput } from './ConnectionInput.js';
import type { ConnectionRules } from './ConnectionRules.js';

/** Klaviyo has some forty. */
const MAX_SCOPES = 100;

/** Checks the scopes against Klaviyo's catalogue; those that every authorization needs are added. Problems go to the list. */
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
  const known = new Set(klaviyo.scopes.map(({ name }) => name));
  input.scopes?.forEach((scope, index) => {
    if (known.has(scope)) return;
    problems.add(
      'INVALID_CHOICE',
      'Klaviyo has no such scope; the query klaviyoScopes lists them.',
      'klaviyo',
      'scopes',
      String(index),
    );
  });
  const required = klaviyo.scopes.filter((scope) => scope.required).map(({ name }) => name);
  return { scopes: [...new Set([...required, ...(input.scopes ?? stored?.scopes ?? klaviyo.defaultScopes)])] };
}
