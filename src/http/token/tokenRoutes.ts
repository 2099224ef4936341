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
    await takeTurn(turns, turnOf(null, callerAddress(request)), request, reply);
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

/**
 * Whose client credentials a request brings: keys in `Authorization: Basic`, or as `client_id` and `client_secret` in the
 * body (RFC 6749 2.3.1), OAuth-only ones too. Throws an OAuthError: `invalid_client` with a challenge (5.2), with 429 for
 * an address that guesses; `invalid_request` for two kinds at once; `unauthorized_client` for a platform's key, since a token
 * never manages organizations, and belongs to one.
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
    // A challenge answers the header only: clients that put their keys in the body take it for a question about the header.
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
  // RFC 6749 2.3.1 has clients form-encode both; our keys hold nothing that decoding would change.
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

/** The parameters of a form body, each at most once, empty ones left out (RFC 6749 3.2). Throws an OAuthError: `invalid_request`. */
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
 * Which scopes a token shall have: `api`, which is also meant when none is given (RFC 6749 3.3), stands for all of its
 * key's but `admin`, which no token has; naming some of them makes a token that can do less. Throws an OAuthError: `invalid_scope`.
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

/** Codes of RFC 6749 5.2 that the client credentials grant can run into. */
type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'unauthorized_client' | 'invalid_scope' | 'unsupported_grant_type';

/** An error of the token or revocation endpoint; the message is shown as `error_description`. */
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

/** Renders what goes wrong at the token endpoint (RFC 6749 5.2), whoever found it. */
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

/** RFC 6749 5.2 allows neither quotes nor backslashes in a description. */
function oauthBody(error: string, message: string): object {
  return { error, error_description: message.replace(/["\\]/g, "'") };
}
