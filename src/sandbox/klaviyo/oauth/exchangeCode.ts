import { constantTimeEqual } from '../../constantTimeEqual.js';
import { sha256 } from '../../sha256.js';
import type { Answer } from '../../web/answer.js';
import type { SandboxApp } from '../appBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { oauthError } from './oauthError.js';
import { tokenAnswer } from './tokenAnswer.js';

const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/** The authorization code grant (RFC 6749, 4.1.3) with its proof key (RFC 7636, 4.6). */
export function exchangeCode(form: URLSearchParams, app: SandboxApp, context: KlaviyoContext): Answer {
  const { codes, counters, grants, now } = context;
  counters.exchangeRequests += 1;
  for (const name of ['code', 'redirect_uri', 'code_verifier']) {
    if (!form.get(name)) return oauthError(400, 'invalid_request', `The parameter "${name}" is missing`);
  }
  const verifier = form.get('code_verifier') ?? '';
  if (!VERIFIER.test(verifier)) return oauthError(400, 'invalid_request', 'Invalid "code_verifier"');

  const code = codes.find(form.get('code') ?? '');
  if (!code) return oauthError(400, 'invalid_grant', 'The code is not known');
  if (code.appId !== app.id) return oauthError(400, 'invalid_grant', 'The code was issued to another app');
  if (code.grantId !== undefined) {
    // RFC 6749, 4.1.2: whoever comes second may be a thief, so what the first one got is withdrawn.
    grants.remove(code.grantId);
    counters.codeReplays += 1;
    context.changed();
    return oauthError(400, 'invalid_grant', 'The code was used before; the tokens it gave are revoked');
  }
  if (code.expiresAt <= now()) return oauthError(400, 'invalid_grant', 'The code has expired');
  if (code.redirectUri !== form.get('redirect_uri')) {
    return oauthError(400, 'invalid_grant', 'The redirect_uri differs from the one that the code was issued for');
  }
  if (!constantTimeEqual(sha256(verifier), code.codeChallenge)) return oauthError(400, 'invalid_grant', 'Code challenge failed.');

  const { grant, refreshToken } = grants.create(code);
  code.grantId = grant.id;
  counters.exchanges += 1;
  return tokenAnswer(grant, refreshToken, context);
}
