import type { FastifyRequest } from 'fastify';
import { constantTimeEqual } from '../../constantTimeEqual.js';
import type { Answer } from '../../web/answer.js';
import { readForm, repeatedParameter } from '../../web/readForm.js';
import type { SandboxApp } from '../appBook.js';
import { oauthError } from './oauthError.js';

export type ClientRequest =
  | { form: URLSearchParams; app: SandboxApp; error?: undefined }
  | { form?: undefined; app?: undefined; error: Answer };

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * What the token and revocation endpoints share: a form body without repetitions, from an app that there is.
 * Klaviyo takes the id and secret as they are in the Basic header, without the percent-encoding of RFC 6749, 2.3.1.
 */
export function readClientRequest(request: FastifyRequest, apps: SandboxApp[]): ClientRequest {
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

/** The app that the client is, or why it is none. */
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
