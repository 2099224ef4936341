import type { FastifyInstance, FastifyRequest } from 'fastify';
import { constantTimeEqual, sha256 } from '../../secrets.js';
import { type Answer, readForm, repeatedParameter } from '../../web.js';
import { throttledAnswer } from '../api/jsonApi.js';
import type { SandboxApp } from '../appBook.js';
import { withFaults } from '../faults.js';
import type { Grant } from '../grantBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { oauthError } from './oauthError.js';

/** Registers the token endpoint (RFC 6749, 3.2). */
export function tokenRoute(server: FastifyInstance, context: KlaviyoContext): void {
  server.post('/klaviyo/oauth/token', { bodyLimit: 64 * 1024 }, (request, reply) => {
    context.counters.tokenRequests += 1;
    return withFaults('token', context, request, reply, (): Answer => {
      const { form, app, error } = readClientRequest(request, context.apps.list());
      if (error) return error;
      const type = form.get('grant_type');
      if (type === 'authorization_code') return exchangeCode(form, app, context);
      if (type === 'refresh_token') return refreshGrant(form, app, context);
      if (!type) return oauthError(400, 'invalid_request', 'The parameter "grant_type" is missing');
      // Klaviyo uses this code instead of RFC 6749's unsupported_grant_type.
      return oauthError(400, 'invalid_grant_type', 'The grant_type must be authorization_code or refresh_token');
    });
  });
}

type ClientRequest =
  | { form: URLSearchParams; app: SandboxApp; error?: undefined }
  | { form?: undefined; app?: undefined; error: Answer };

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Reads what the token and revocation endpoints share: a form body without repeated parameters, from a known app. Klaviyo reads
 * the raw id and secret from the Basic header, without the percent-encoding of RFC 6749, 2.3.1.
 */
function readClientRequest(request: FastifyRequest, apps: SandboxApp[]): ClientRequest {
  const form = readForm(request);
  if (!form) {
    const sent = request.headers['content-type'] ?? 'no content type';
    return {
      error: oauthError(400, 'invalid_request', `The body must be application/x-www-form-urlencoded, not ${sent.slice(0, 100)}`),
    };
  }
  const app = findClient(request.headers.authorization, form, apps);
  if (typeof app === 'string') return { error: oauthError(401, 'invalid_client', app) };
  const repeated = repeatedParameter(form);
  if (repeated)
    return { error: oauthError(400, 'invalid_request', `The parameter "${repeated.slice(0, 100)}" is given more than once`) };
  return { form, app };
}

/** Returns the client's app, or why the client is unknown. */
function findClient(header: string | undefined, form: URLSearchParams, apps: SandboxApp[]): SandboxApp | string {
  if (form.has('client_secret')) return 'The client_secret belongs in a Basic header, never in the body';
  const encoded = BASIC.exec(header ?? '')?.[1];
  if (!encoded) return 'A Basic header with client_id:client_secret in base64 is required';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const app = apps.find(({ clientId, clientSecret }) => constantTimeEqual(given, `${clientId}:${clientSecret}`));
  if (app) return app;
  const isEncoded = apps.some(({ clientId, clientSecret }) =>
    constantTimeEqual(given, `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`),
  );
  return isEncoded ? 'The client id and secret must not be percent-encoded' : 'Client authentication failed';
}

const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/** The authorization code grant (RFC 6749, 4.1.3) with its proof key (RFC 7636, 4.6). */
function exchangeCode(form: URLSearchParams, app: SandboxApp, context: KlaviyoContext): Answer {
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
    // RFC 6749, 4.1.2: the second use of a code may be theft, so the tokens of the first use are revoked.
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

/** The refresh grant (RFC 6749, 6). The response contains the same refresh token as the request. */
function refreshGrant(form: URLSearchParams, app: SandboxApp, context: KlaviyoContext): Answer {
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

/** Registers the revocation endpoint (RFC 7009). Either kind of token removes the app from the whole account, as in Klaviyo. */
export function revokeRoute(server: FastifyInstance, context: KlaviyoContext): void {
  const { apps, counters, grants } = context;
  server.post('/klaviyo/oauth/revoke', { bodyLimit: 64 * 1024 }, (request, reply) => {
    counters.revocationRequests += 1;
    return withFaults('revoke', context, request, reply, (): Answer => {
      const { form, app, error } = readClientRequest(request, apps.list());
      if (error) return error;
      const token = form.get('token');
      const hint = form.get('token_type_hint');
      if (!token) return oauthError(400, 'invalid_request', 'The parameter "token" is missing');
      if (hint !== null && hint !== 'access_token' && hint !== 'refresh_token') {
        return oauthError(400, 'unsupported_token_type', 'The token_type_hint must be access_token or refresh_token');
      }
      // The hint only says where to look first (RFC 7009, 2.1), and an unknown token counts as revoked (2.2). Another app's token
      // counts as unknown.
      const grant = grants.byRefreshToken(token) ?? grants.byAccessToken(token);
      if (grant?.appId === app.id && grants.uninstall(grant.accountId, app.id)) {
        counters.revocations += 1;
        context.changed();
      }
      return { status: 200, headers: { 'cache-control': 'no-store' } };
    });
  });
}

/** Builds a successful token response (RFC 6749, 5.1), changed by waiting faults. */
function tokenAnswer(grant: Grant, refreshToken: string, context: KlaviyoContext): Answer {
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
