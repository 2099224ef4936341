import type { FastifyInstance } from 'fastify';
import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { countRequest, refuseTooMany } from '../../access/countRequest.js';
import { ACCESS_TOKEN_LIFETIME_SECONDS, API_SCOPE, issueAccessToken } from '../../access/issueAccessToken.js';
import { revokeAccessToken } from '../../access/revokeAccessToken.js';
import { TOKEN_SCOPES } from '../../domain/ApiKey.js';
import type { Logger } from '../../domain/Logger.js';
import { callerAddress } from '../callerAddress.js';
import type { FairTurns } from '../limits/FairTurns.js';
import { rateLimitHeaders } from '../limits/rateLimitHeaders.js';
import { takeTurn } from '../limits/takeTurn.js';
import { authenticateClient } from './authenticateClient.js';
import { OAuthError } from './OAuthError.js';
import { oauthErrorHandler } from './oauthErrorHandler.js';
import { readForm } from './readForm.js';
import { readScopes } from './readScopes.js';

export interface TokenRouteOptions {
  readonly dependencies: AccessDependencies & { readonly log: Logger };
  readonly publicUrl: string;
  readonly turns: FairTurns;
}

const BODY_LIMIT_BYTES = 16 * 1024;
/** RFC 6749 2.3.1, by the names of RFC 7591 2. */
const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post'];

/**
 * `POST /oauth2/token`: an access token for client credentials (RFC 6749 4.4). `POST /oauth2/revoke`: the end of one
 * (RFC 7009). `GET /.well-known/oauth-authorization-server`: where both are (RFC 8414).
 */
export async function tokenRoutes(app: FastifyInstance, { dependencies, publicUrl, turns }: TokenRouteOptions): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => done(null, body));
  app.setErrorHandler(oauthErrorHandler(dependencies.log));
  app.addHook('onRequest', async (request, reply) => {
    await takeTurn(turns, `address:${callerAddress(request)}`, request, reply);
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });

  // Existing clients know the address with a slash at its end.
  for (const url of ['/oauth2/token', '/oauth2/token/']) {
    app.post(url, async (request, reply) => {
      const form = readForm(request);
      const caller = await authenticateClient(dependencies, request, form);
      const count = await countRequest(dependencies, caller, 'token');
      if (count) {
        reply.headers(rateLimitHeaders(count));
        refuseTooMany(count, 'token');
      }
      const grantType = form.get('grant_type');
      if (grantType === null) throw new OAuthError('invalid_request', '"grant_type" is missing: it must be client_credentials.');
      if (grantType !== 'client_credentials') {
        throw new OAuthError('unsupported_grant_type', '"grant_type" must be client_credentials.');
      }
      const scopes = readScopes(form.get('scope'), caller);
      const { accessToken } = await issueAccessToken(dependencies, caller, scopes);
      const scope = form.get('scope') ?? API_SCOPE;
      return { access_token: accessToken, expires_in: ACCESS_TOKEN_LIFETIME_SECONDS, scope, token_type: 'bearer' };
    });
  }

  app.post('/oauth2/revoke', async (request, reply) => {
    const form = readForm(request);
    const caller = await authenticateClient(dependencies, request, form);
    const token = form.get('token');
    if (token === null) throw new OAuthError('invalid_request', '"token" is missing: it must be the access token to revoke.');
    await revokeAccessToken(dependencies, caller, token);
    return reply.code(200).send();
  });

  const metadata = {
    issuer: publicUrl,
    token_endpoint: `${publicUrl}/oauth2/token`,
    token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    revocation_endpoint: `${publicUrl}/oauth2/revoke`,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    scopes_supported: [API_SCOPE, ...TOKEN_SCOPES],
  };
  // Clients made for OpenID Connect look at the second address unless they are told otherwise (RFC 8414 5).
  for (const name of ['oauth-authorization-server', 'openid-configuration'])
    app.get(`/.well-known/${name}`, async () => metadata);
}
