import { API_SCOPE } from '../../access/issueAccessToken.js';
import { API_KEY_SCOPES, type ApiKeyScope } from '../../domain/ApiKey.js';
import type { Caller } from '../../domain/Caller.js';
import { OAuthError } from './OAuthError.js';

/**
 * Which scopes a token shall have: `api`, which is also meant when none is given (RFC 6749 3.3), stands for all of its
 * key's; naming some of them makes a token that can do less. Throws an OAuthError: `invalid_scope`.
 */
export function readScopes(scope: string | null, caller: Caller): ApiKeyScope[] {
  const words = (scope ?? API_SCOPE).split(' ');
  const unknown = words.find((word) => word !== API_SCOPE && !caller.scopes.has(word as ApiKeyScope));
  if (unknown !== undefined) {
    const choices = [API_SCOPE, ...API_KEY_SCOPES.filter((name) => caller.scopes.has(name))].join(', ');
    throw new OAuthError('invalid_scope', `This key can ask for: ${choices}.`);
  }
  return API_KEY_SCOPES.filter((name) => caller.scopes.has(name) && (words.includes(API_SCOPE) || words.includes(name)));
}
