import type { FastifyRequest } from 'fastify';
import { OAuthError } from './OAuthError.js';

/** The parameters of a form body, each at most once, empty ones left out (RFC 6749 3.2). Throws an OAuthError: `invalid_request`. */
export function readForm(request: FastifyRequest): URLSearchParams {
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
