import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';

/** The caller, who must be known. Throws UNAUTHENTICATED. */
export function requireCaller(caller: Caller | null): Caller {
  if (caller) return caller;
  throw new SwitchboardError(
    'UNAUTHENTICATED',
    'Send "Authorization: Basic base64(publicKey:secretKey)" or "Authorization: Bearer <access token>".',
  );
}

/** The caller, who must hold the scope. Throws UNAUTHENTICATED or FORBIDDEN (`insufficient_scope`, RFC 6750 3.1). */
export function requireScope(possibleCaller: Caller | null, scope: ApiKeyScope): Caller {
  const caller = requireCaller(possibleCaller);
  if (caller.scopes.has(scope)) return caller;
  throw new SwitchboardError('FORBIDDEN', `These credentials may not do that: they lack the scope "${scope}".`, {
    bearerError: 'insufficient_scope',
    scope,
  });
}
