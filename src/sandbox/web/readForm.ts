import type { FastifyRequest } from 'fastify';

const FORM = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** The body as form fields, repeated ones included; undefined when it was sent as anything but a form. */
export function readForm(request: FastifyRequest): URLSearchParams | undefined {
  if (!FORM.test(request.headers['content-type'] ?? '')) return undefined;
  return new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
}

/** The first parameter that appears twice, which OAuth forbids (RFC 6749, 3.1 and 3.2). */
export function repeatedParameter(parameters: URLSearchParams): string | undefined {
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
