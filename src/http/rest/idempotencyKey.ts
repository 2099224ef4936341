import type { FastifyInstance } from 'fastify';
import { claimKey, keepAnswer, releaseKey } from '../../access/idempotentRequests.js';
import type { Cipher } from '../../database/Cipher.js';
import type { Database } from '../../database/Database.js';
import { SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import { canonicalJson } from '../../events/insertEvents.js';
import { callerOf } from './operation.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly log: Logger;
}

/** The header's description in `/openapi.json`. */
export const idempotencyKeyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Any text of your choice, such as a UUID. The same request with the same key is done once, and gets the first answer for 24 hours.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
} as const;

const FORM = /^[\x20-\x7e]{1,255}$/;

/**
 * Lets POST requests of this scope have an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). The key is claimed
 * once the request is known to be well formed. A successful response is stored before it is sent. A failed request has
 * changed nothing, so its key is released.
 */
export function idempotencyKeys(app: FastifyInstance, dependencies: Dependencies): void {
  app.decorateRequest('claimedKey', null);
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || key === undefined) return;
    if (typeof key !== 'string' || !FORM.test(key)) {
      const message = 'Idempotency-Key must be 1 to 255 printable ASCII characters.';
      throw new SwitchboardError('BAD_USER_INPUT', message, { header: 'Idempotency-Key' });
    }
    const content = canonicalJson([request.url.split('?', 1)[0], request.body ?? null]);
    const claim = await claimKey(dependencies, callerOf(request), { key, content });
    if (claim.kind === 'first') {
      request.setDecorator('claimedKey', claim.id);
      return;
    }
    const { status, headers, body } = claim.answer;
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(body);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const id = request.getDecorator<string | null>('claimedKey');
    if (id === null) return;
    try {
      if (reply.statusCode >= 300) await releaseKey(dependencies, id);
      else {
        const location = reply.getHeader('location');
        const headers: Record<string, string> = location === undefined ? {} : { location: String(location) };
        await keepAnswer(dependencies, id, { status: reply.statusCode, headers, body: String(payload) });
      }
    } catch (error) {
      // The request was done. A repetition with this key is told to look for the result.
      dependencies.log.error({ error: String(error) }, 'The response for an Idempotency-Key could not be stored');
    }
  });
}
