import type { FastifyInstance } from 'fastify';
import type { Answer } from '../../web/answer.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { withFaults } from '../withFaults.js';
import { oauthError } from './oauthError.js';
import { readClientRequest } from './readClientRequest.js';

/** The revocation endpoint (RFC 7009). Either kind of token takes the app off the whole account, as at Klaviyo. */
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
      // The hint only says where to look first (RFC 7009, 2.1), and an unknown token is already as good as revoked (2.2).
      // Another app's token is as unknown as that.
      const grant = grants.byRefreshToken(token) ?? grants.byAccessToken(token);
      if (grant?.appId === app.id && grants.uninstall(grant.accountId, app.id)) {
        counters.revocations += 1;
        context.changed();
      }
      return { status: 200, headers: { 'cache-control': 'no-store' } };
    });
  });
}
