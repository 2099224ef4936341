import type { Answer } from '../../web/answer.js';
import type { Grant } from '../grantBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';

/** A successful token answer (RFC 6749, 5.1), bent by whatever faults are waiting for one. */
export function tokenAnswer(grant: Grant, refreshToken: string, context: KlaviyoContext): Answer {
  const { faults, grants } = context;
  const bent = faults.takeTokenShapes();
  const expiresIn = grants.accessTokenSeconds();
  const json: Record<string, unknown> = {
    access_token: grants.issueAccessToken(grant),
    token_type: 'bearer',
    expires_in: bent.has('expires_in_string') ? String(expiresIn) : expiresIn,
    refresh_token: bent.has('rotate_refresh_token') ? grants.rotateRefreshToken(grant) : refreshToken,
    scope: grant.scopes.join(' '),
  };
  if (bent.has('omit_refresh_token')) delete json.refresh_token;
  if (bent.has('omit_expires_in')) delete json.expires_in;
  context.changed();
  return { status: 200, headers: { 'cache-control': 'no-store', pragma: 'no-cache' }, json };
}
