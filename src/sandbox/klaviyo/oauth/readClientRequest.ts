import type { FastifyRequest } from 'fastify';
import { constantTimeEqual } from '../../constantTimeEqual.js';
import type { SandboxOptions } from '../../sandboxOptions.js';
import type { Answer } from '../../web/answer.js';
import { readForm, repeatedParameter } from '../../web/readForm.js';
import { oauthError } from './oauthError.js';

export type ClientRequest = { form: URLSearchParams; error?: undefined } | { form?: undefined; error: Answer };

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * What the token and revocation endpoints share: a form body without repetitions, from the one client they know.
 * Klaviyo takes the id and secret as they are in the Basic header, without the percent-encoding of RFC 6749, 2.3.1.
 */
export function readClientRequest(request: FastifyRequest, options: SandboxOptions): ClientRequest {
  const form = readForm(request);
  if (!form) {
    const sent = request.headers['content-type'] ?? 'no content type';
    return {
      error: oauthError(400, 'invalid_request', `The body must be application/x-www-form-urlencoded, not ${sent.slice(0, 100)}`),
    };
  }
  const wrongClient = refuseClient(request.headers.authorization, form, options);
  if (wrongClient) return { error: oauthError(401, 'invalid_client', wrongClient) };
  const repeated = repeatedParameter(form);
  if (repeated)
    return { error: oauthError(400, 'invalid_request', `The parameter "${repeated.slice(0, 100)}" is given more than once`) };
  return { form };
}

/** Why the client is not who it says it is, or undefined when it is. */
function refuseClient(header: string | undefined, form: URLSearchParams, options: SandboxOptions): string | undefined {
  if (form.has('client_secret')) return 'The client_secret belongs in a Basic header, never in the body';
  const encoded = BASIC.exec(header ?? '')?.[1];
  if (!encoded) return 'A Basic header with client_id:client_secret in base64 is required';
  const given = Buffer.from(encoded, 'base64').toString('utf8');
  const expected = `${options.clientId}:${options.clientSecret}`;
  if (constantTimeEqual(given, expected)) return undefined;
  const percentEncoded = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`;
  if (constantTimeEqual(given, percentEncoded)) return 'The client id and secret must not be percent-encoded';
  return 'Client authentication failed';
}
