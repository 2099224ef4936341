import type { FastifyRequest } from 'fastify';
import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { checkApiKey } from '../../access/checkApiKey.js';
import { readBasicCredentials } from '../../access/readBasicCredentials.js';
import type { Caller } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { errorHeaders } from '../../graphql/errors/errorHeaders.js';
import { callerAddress } from '../callerAddress.js';
import { OAuthError } from './OAuthError.js';

/**
 * Whose client credentials a request brings: Basic keys (RFC 6749 2.3.1), OAuth-only ones too. Throws an OAuthError:
 * `invalid_client` with a challenge (5.2), with 429 for an address that guesses; `invalid_request` for two kinds at once.
 */
export async function authenticateClient(
  dependencies: AccessDependencies,
  request: FastifyRequest,
  form: URLSearchParams,
): Promise<Caller> {
  const credentials = readBasicCredentials(request.headers.authorization ?? '');
  if (form.has('client_secret')) {
    throw new OAuthError('invalid_request', 'Send the keys in "Authorization: Basic" alone (RFC 6749 2.3).');
  }
  if (!credentials) throw invalidClient('Send the keys as "Authorization: Basic base64(publicKey:secretKey)".');
  // RFC 6749 2.3.1 has clients form-encode both; our keys hold nothing that decoding would change.
  const [publicKey, secret] = [credentials.publicKey, credentials.secret].map(decodeFormValue) as [string, string];
  if (form.has('client_id') && form.get('client_id') !== publicKey) {
    throw new OAuthError('invalid_request', '"client_id" is not the public key of the Authorization header.');
  }
  try {
    return await checkApiKey(dependencies, { publicKey, secret }, callerAddress(request));
  } catch (error) {
    if (!(error instanceof SwitchboardError) || error.status >= 500) throw error;
    if (error.code === 'RATE_LIMITED') throw new OAuthError('invalid_client', error.message, 429, errorHeaders(error));
    throw invalidClient('The API key is wrong or was revoked.');
  }
}

function invalidClient(message: string): OAuthError {
  return new OAuthError('invalid_client', message, 401, { 'www-authenticate': 'Basic realm="switchboard"' });
}

function decodeFormValue(value: string): string {
  return new URLSearchParams(`v=${value.replaceAll('&', '%26')}`).get('v') ?? '';
}
