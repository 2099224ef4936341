import type { FastifyRequest } from 'fastify';
import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { checkApiKey } from '../../access/checkApiKey.js';
import { type BasicCredentials, readBasicCredentials } from '../../access/readBasicCredentials.js';
import type { Caller } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { errorHeaders } from '../../graphql/errors/errorHeaders.js';
import { callerAddress } from '../callerAddress.js';
import { OAuthError } from './OAuthError.js';

/**
 * Whose client credentials a request brings: keys in `Authorization: Basic`, or as `client_id` and `client_secret` in the
 * body (RFC 6749 2.3.1), OAuth-only ones too. Throws an OAuthError: `invalid_client` with a challenge (5.2), with 429 for
 * an address that guesses; `invalid_request` for two kinds at once.
 */
export async function authenticateClient(
  dependencies: AccessDependencies,
  request: FastifyRequest,
  form: URLSearchParams,
): Promise<Caller> {
  const credentials = readClientCredentials(request.headers.authorization, form);
  try {
    return await checkApiKey(dependencies, credentials, callerAddress(request));
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
