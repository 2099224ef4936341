import type { KlaviyoConfiguration } from '../domain/Connection.js';
import type { ProblemList } from '../domain/ProblemList.js';
import type { KlaviyoInput } from './ConnectionInput.js';
import type { ConnectionRules } from './ConnectionRules.js';

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
  const known = new Set(klaviyo.scopes.map(({ name }) => name));
  input.scopes?.forEach((scope, index) => {
    if (known.has(scope)) return;
    const message = `Klaviyo has no scope "${scope.slice(0, 100)}"; the query klaviyoScopes lists them.`;
    problems.add('INVALID_CHOICE', message, 'klaviyo', 'scopes', String(index));
  });
  const required = klaviyo.scopes.filter((scope) => scope.required).map(({ name }) => name);
  return { scopes: [...new Set([...required, ...(input.scopes ?? stored?.scopes ?? klaviyo.defaultScopes)])] };
}
