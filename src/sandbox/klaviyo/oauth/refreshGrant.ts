import type { Answer } from '../../web/answer.js';
import { throttledAnswer } from '../api/jsonApiError.js';
import type { SandboxApp } from '../appBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { oauthError } from './oauthError.js';
import { tokenAnswer } from './tokenAnswer.js';

/** The refresh grant (RFC 6749, 6). The refresh token that comes back is the one that was sent. */
export function refreshGrant(form: URLSearchParams, app: SandboxApp, context: KlaviyoContext): Answer {
  const { counters, grants, now, rates } = context;
  counters.refreshRequests += 1;
  const refreshToken = form.get('refresh_token');
  if (!refreshToken) return oauthError(400, 'invalid_request', 'The parameter "refresh_token" is missing');
  const grant = grants.byRefreshToken(refreshToken);
  if (!grant || grant.appId !== app.id)
    return oauthError(400, 'invalid_grant', 'The refresh token is not valid: wrong, unused for 90 days, revoked or uninstalled');

  const verdict = rates.take(`refresh ${app.id} ${grant.accountId}`, { perMinute: 10 });
  if (!verdict.allowed) {
    counters.throttled += 1;
    return throttledAnswer(verdict.retryAfter);
  }
  grant.refreshUsedAt = now();
  counters.refreshes += 1;
  return tokenAnswer(grant, refreshToken, context);
}
