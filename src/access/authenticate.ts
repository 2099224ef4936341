import type { Caller } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';
import type { AccessDependencies } from './AccessDependencies.js';
import { checkAccessToken } from './checkAccessToken.js';
import { checkApiKey } from './checkApiKey.js';
import { readBasicCredentials } from './readBasicCredentials.js';
import { wrongCredentials } from './refuseCredentials.js';

/** RFC 6750 2.1. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]{1,512}=*) *$/i;

const OAUTH_ONLY =
  'This key is for OAuth only: get an access token at POST /oauth2/token, and send "Authorization: Bearer <access token>".';

/**
 * Finds out who calls from the `Authorization` header: Basic keys (RFC 7617) or an access token (RFC 6750). `address` is
 * where the call comes from, to count failed log-ins. Returns null when there is no header; throws UNAUTHENTICATED when
 * there is one that is not good, RATE_LIMITED when its address guesses.
 */
export async function authenticate(
  dependencies: AccessDependencies,
  header: string | undefined,
  address: string,
): Promise<Caller | null> {
  if (header === undefined || header === '') return null;
  const token = BEARER.exec(header)?.[1];
  if (token !== undefined) return checkAccessToken(dependencies, token, address);
  const basic = readBasicCredentials(header);
  if (!basic) throw wrongCredentials();
  const { oauthOnly, ...caller } = await checkApiKey(dependencies, basic, address);
  if (oauthOnly) throw new SwitchboardError('UNAUTHENTICATED', OAUTH_ONLY);
  return caller;
}
