import type { FastifyInstance } from 'fastify';
import type { Answer } from '../../web/answer.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { withFaults } from '../withFaults.js';
import { exchangeCode } from './exchangeCode.js';
import { oauthError } from './oauthError.js';
import { readClientRequest } from './readClientRequest.js';
import { refreshGrant } from './refreshGrant.js';

/** The token endpoint (RFC 6749, 3.2). */
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
      // Not RFC 6749's unsupported_grant_type: this is the name that Klaviyo uses.
      return oauthError(400, 'invalid_grant_type', 'The grant_type must be authorization_code or refresh_token');
    });
  });
}
