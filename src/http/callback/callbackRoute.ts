import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Credential } from '../../domain/Credential.js';
import { completeAuthorization, Exchanges } from '../../oauth/completeAuthorization.js';
import type { Provider } from '../../oauth/Provider.js';
import { hasActiveSubscription } from '../../subscriptions/findSubscription.js';
import { sendPage } from '../pages/sendPage.js';
import { browserBindingCookie } from './browserBindingCookie.js';
import { outcomePage } from './outcomePage.js';
import { popupPage } from './popupPage.js';
import { returnToUrl } from './returnToUrl.js';
import { unexpectedPage } from './unexpectedPage.js';

type Dependencies = Omit<Parameters<typeof completeAuthorization>[0], 'exchanges'>;

const FINISHED: ReadonlySet<string> = new Set(['completed', 'denied', 'failed']);

/**
 * `GET /oauth/<provider>/callback`: where the merchant's browser lands (RFC 6749 4.1.2). While a slow provider is asked it
 * sees a page that loads itself again, without JavaScript. A server that stops finishes its exchanges first.
 */
export function callbackRoute(app: FastifyInstance, dependencies: Dependencies, provider: Provider): void {
  const exchanges = new Exchanges();
  app.addHook('onClose', () => exchanges.finish());
  app.route({
    method: 'GET',
    url: `/oauth/${provider.id}/callback`,
    // A HEAD request must not spend a state whose outcome nobody would see.
    exposeHeadRoute: false,
    // Whatever happens, a merchant gets a page and not JSON.
    errorHandler: (error, _request, reply) => {
      const id = randomUUID();
      dependencies.log.error({ errorId: id, error: error.stack ?? String(error) }, 'A callback failed unexpectedly');
      return sendPage(reply, unexpectedPage(id));
    },
    handler: async (request, reply) => {
      const outcome = await completeAuthorization({ ...dependencies, exchanges }, provider, {
        query: readQuery(request.raw.url ?? ''),
        browserBinding: (id) => request.cookies[browserBindingCookie(id)],
      });
      const linked = outcome.kind === 'completed' ? outcome.authorization.connectionId : null;
      const receivesEvents = Boolean(linked && (await hasActiveSubscription(dependencies, linked)));
      const page = outcomePage(outcome, provider, {
        receivesEvents,
        maySend: !receivesEvents || (await maySend(dependencies, linked as number, provider)),
      });
      if (outcome.kind === 'unknown_state' || outcome.kind === 'refused' || outcome.kind === 'in_progress')
        return sendPage(reply, page);

      const { authorization } = outcome;
      if (authorization.browserBindingHash) reply.clearCookie(browserBindingCookie(authorization.id), { path: '/oauth' });
      if (!authorization.returnTo) return sendPage(reply, page);
      if (authorization.display === 'popup') return sendPage(reply, popupPage(page, authorization, provider.name));
      if (!FINISHED.has(outcome.kind)) return sendPage(reply, page);
      return reply
        .code(303)
        .headers({
          location: returnToUrl(authorization, provider.name) as string,
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
        .send();
    },
  });
}

/** Whether the grant of a connection has the scope that delivering needs: a merchant may have left it out. */
async function maySend({ database }: Dependencies, connectionId: number, { deliveryScope }: Provider): Promise<boolean> {
  const credential = await database.em().findOne(Credential, { connectionId });
  return !credential?.accessToken || credential.scopes.includes(deliveryScope);
}

/** Everything after the first question mark, with repetitions kept; a query may hold further ones (RFC 3986 3.4). */
function readQuery(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}
