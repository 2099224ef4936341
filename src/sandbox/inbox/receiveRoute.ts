import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HeldConnections } from '../heldConnections.js';
import type { InboxBehaviour } from './inboxBehaviour.js';
import { type Inbox, type InboxStore, isInboxName } from './inboxStore.js';
import { verifySignature } from './verifySignature.js';

const KEPT_BYTES = 64 * 1024;
// Read whole, because the signature is over everything, though only the beginning is kept.
const MOST_BODY_BYTES = 10 * 1024 * 1024;

export interface InboxContext {
  store: InboxStore;
  held: HeldConnections;
  /** Path of the mount point. */
  root: () => string;
}

/** Receives whatever is sent to an inbox, in any method and content type. */
export function receiveRoute(app: FastifyInstance, { store, held, root }: InboxContext): void {
  app.all<{ Params: { name: string } }>('/inbox/:name', { bodyLimit: MOST_BODY_BYTES }, async (request, reply) => {
    const { name } = request.params;
    if (!isInboxName(name)) return reply.code(404).send({ error: 'This is no name for an inbox' });
    // A person who opens the address in a browser wants to look, not to deliver.
    if (request.method === 'GET' && request.headers['sec-fetch-mode'] === 'navigate') {
      return reply.redirect(`${root()}/inbox-view/${name}`, 303);
    }
    const inbox = store.open(name);
    const behaviour = takeBehaviour(inbox);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    store.receive(inbox, {
      method: request.method,
      query: request.url.split('?').slice(1).join('?'),
      headers,
      body: body.subarray(0, KEPT_BYTES).toString('utf8'),
      bodyBytes: body.length,
      signature: verifySignature(inbox.secret, body, headers),
      answered: STATUS[behaviour.answer],
    });
    // However late the answer, what was sent is not held until then.
    request.body = undefined;
    return answer(behaviour, request, reply);
  });

  async function answer(behaviour: InboxBehaviour, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (behaviour.answer === 'hang') {
      held.hold(request, reply);
      return reply;
    }
    if (behaviour.answer === 'slow') await held.delay(behaviour.delayMs ?? 5_000, request);
    if (behaviour.answer === 'throttle') reply.header('retry-after', String(behaviour.retryAfterSeconds ?? 5));
    if (behaviour.answer === 'redirect') reply.header('location', behaviour.location ?? `${root()}/inbox/redirected`);
    const status = STATUS[behaviour.answer] ?? 200;
    return reply.code(status).send({ received: status === 200 });
  }
}

const STATUS: Record<InboxBehaviour['answer'], number | null> = {
  ok: 200,
  error: 500,
  gone: 410,
  throttle: 429,
  redirect: 302,
  slow: 200,
  hang: null,
};

/** The behaviour that is due, counting down the ones that are so only for a while. */
function takeBehaviour(inbox: Inbox): InboxBehaviour {
  const { behaviour } = inbox;
  if (behaviour.times !== undefined) {
    const times = behaviour.times - 1;
    inbox.behaviour = times > 0 ? { ...behaviour, times } : { answer: 'ok' };
  }
  return behaviour;
}
