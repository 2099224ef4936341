import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ACCESS_TOKEN_LIFETIME_SECONDS, API_SCOPE, issueAccessToken, revokeAccessToken } from '../../access/accessTokens.js';
import { type BasicCredentials, checkApiKey, readBasicCredentials } from '../../access/authenticate.js';
import { type AccessDependencies, countRequest, refuseTooMany } from '../../access/limits.js';
import { type ApiKeyScope, TOKEN_SCOPES } from '../../domain/ApiKey.js';
import type { Caller } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import { errorHeaders } from '../../errors/toCallError.js';
import { callerAddress } from '../callerAddress.js';
import { toHttpError } from '../handleErrors.js';
import { rateLimitHeaders } from '../limits/admitOperation.js';
import { type FairTurns, takeTurn, turnOf } from '../limits/FairTurns.js';

interface TokenRouteOptions {
  readonly dependencies: AccessDependencies & { readonly log: Logger };
  readonly publicUrl: string;
  readonly turns: FairTurns;
}

const BODY_LIMIT_BYTES = 16 * 1024;
/** Methods of RFC 6749 2.3.1, with the names of RFC 7591 2. */
const CLIENT_AUTHENTICATION = ['client_secret_basic', 'client_secret_post'];

/**
 * Adds `POST /oauth2/token`, which issues an access token for client credentials (RFC 6749 4.4), `POST /oauth2/revoke`,
 * which revokes one (RFC 7009), and `GET /.well-known/oauth-authorization-server`, which describes both (RFC 8414).
 */
export async function tokenRoutes(app: FastifyInstance, { dependencies, publicUrl, turns }: TokenRouteOptions): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) => done(null, body));
  app.setErrorHandler(oauthErrorHandler(dependencies.log));
  app.addHook('onRequest', async (request, reply) => {
    await takeTurn(turns, turnOf(null, callerAddress(request)), request, reply);
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });

  // Existing clients use the path with a slash at the end.
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
  // OpenID Connect clients use the second path by default (RFC 8414 5).
  for (const name of ['oauth-authorization-server', 'openid-configuration'])
    app.get(`/.well-known/${name}`, async () => metadata);
}

/**
 * Authenticates the client credentials of a request: keys in `Authorization: Basic`, or as `client_id` and `client_secret`
 * in the body (RFC 6749 2.3.1), OAuth-only keys included. Throws an OAuthError: `invalid_client` with a challenge (5.2), and
 * with 429 for an address that guesses; `invalid_request` for both kinds at once; `unauthorized_client` for a platform's
 * key, because a token belongs to one organization and never manages organizations.
 */
async function authenticateClient(
  dependencies: AccessDependencies,
  request: FastifyRequest,
  form: URLSearchParams,
): Promise<Caller> {
  const credentials = readClientCredentials(request.headers.authorization, form);
  try {
    const who = await checkApiKey(dependencies, credentials, callerAddress(request));
    if (who.organizationId !== null) return who;
    const message = 'The key of a platform gets no access token: send the key itself, as Authorization: Basic.';
    throw new OAuthError('unauthorized_client', message);
  } catch (error) {
    if (!(error instanceof SwitchboardError) || error.status >= 500) throw error;
    if (error.code === 'RATE_LIMITED') throw new OAuthError('invalid_client', error.message, 429, errorHeaders(error));
    const message = 'The API key is wrong or was revoked.';
    // Only the header gets a challenge. Clients with keys in the body would take a challenge for a request to use the
    // header.
    throw form.has('client_secret') ? new OAuthError('invalid_client', message) : invalidClient(message);
  }
}

function readClientCredentials(authorization: string | undefined, form: URLSearchParams): BasicCredentials {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')];
  if (secret !== null) {
    if (authorization) throw new OAuthError('invalid_request', `${WAYS}, not in both (RFC 6749 2.3).`);
    if (id === null) throw new OAuthError('invalid_request', '"client_id" is missing: it is the public key.');
    return { publicKey: id, secret };
  }
  const credentials = readBasicCredentials(authorization ?? '');
  if (!credentials) throw invalidClient(`${WAYS}.`);
  // Clients form-encode both (RFC 6749 2.3.1). Our keys contain nothing that decoding would change.
  const publicKey = decodeFormValue(credentials.publicKey);
  if (id !== null && id !== publicKey) {
    throw new OAuthError('invalid_request', '"client_id" is not the public key of the Authorization header.');
  }
  return { publicKey, secret: decodeFormValue(credentials.secret) };
}

const WAYS =
  'Send the keys as "Authorization: Basic base64(publicKey:secretKey)", or as "client_id" and "client_secret" in the body';

function invalidClient(message: string): OAuthError {
  return new OAuthError('invalid_client', message, 401, { 'www-authenticate': 'Basic realm="switchboard"' });
}

function decodeFormValue(value: string): string {
  return new URLSearchParams(`v=${value.replaceAll('&', '%26')}`).get('v') ?? '';
}

/**
 * Returns the parameters of a form body without empty ones (RFC 6749 3.2). Throws an OAuthError `invalid_request` for a
 * repeated parameter.
 */
function readForm(request: FastifyRequest): URLSearchParams {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new OAuthError('invalid_request', 'Send the parameters as application/x-www-form-urlencoded.');
  }
  const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new OAuthError('invalid_request', `"${name.slice(0, 50)}" is there more than once.`);
    if (form.get(name) === '') form.delete(name);
  }
  return form;
}

/**
 * Returns the scopes of the requested token. `api`, which is also the default (RFC 6749 3.3), stands for all scopes of the
 * key but `admin`, which no token has. Single scopes make a token that can do less. Throws an OAuthError: `invalid_scope`.
 */
function readScopes(scope: string | null, caller: Caller): ApiKeyScope[] {
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

/** Codes of RFC 6749 5.2 that client credentials can lead to. */
type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'invalid_scope' | 'unsupported_grant_type';

/** An error of the token or revocation endpoint. The message is sent as `error_description`. */
class OAuthError extends Error {
  constructor(
    readonly code: OAuthErrorCode,
    message: string,
    readonly status = code === 'invalid_client' ? 401 : 400,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'OAuthError';
  }
}

/** Returns the handler that renders every error at the token endpoint by RFC 6749 5.2. */
function oauthErrorHandler(log: Logger) {
  return (failure: FastifyError | OAuthError, _request: FastifyRequest, reply: FastifyReply) => {
    if (failure instanceof OAuthError) {
      return reply.code(failure.status).headers(failure.headers).send(oauthBody(failure.code, failure.message));
    }
    const { error } = toHttpError(failure, log);
    const code = error.status >= 500 ? 'server_error' : 'invalid_request';
    return reply.code(error.status).headers(errorHeaders(error)).send(oauthBody(code, error.message));
  };
}

/** Returns the body of an error. RFC 6749 5.2 allows neither quotation marks nor backslashes in a description. */
function oauthBody(error: string, message: string): object {
  return { error, error_description: message.replace(/["\\]/g, "'") };
}
