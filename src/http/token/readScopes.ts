import { API_SCOPE } from '../../access/issueAccessToken.js';
import { type ApiKeyScope, TOKEN_SCOPES } from '../../domain/ApiKey.js';
import type { Caller } from '../../domain/Caller.js';
import { OAuthError } from './OAuthError.js';

/**
 * Which scopes a token shall have: `api`, which is also meant when none is given (RFC 6749 3.3), stands for all of its
 * key's but `admin`, which no token has; naming some of them makes a token that can do less. Throws an OAuthError: `invalid_scope`.
 */
export function readScopes(scope: string | null, caller: Caller): ApiKeyScope[] {
  const words = (scope ?? API_SCOPE).split(' ');
  const possible = TOKEN_SCOPES.filter((name) => caller.scopes.has(name));
  if (possible.length === 0) throw new OAuthError('invalid_scope', 'This key has no scope that an access token can have.');
  const unknown = words.find((word) => word !== API_SCOPE && !(possible as string[]).includes(word));
  if (unknown !== undefined) {
    const choices = [API_SCOPE, ...possible].join(', ');
    throw new OAuthError('invalid_scope', `This key can ask for: ${choices}.`);
  }
  return possible.filter((name) => words.includes(API_SCOPE) || words.includes(name));
}
