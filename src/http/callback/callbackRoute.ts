import type { FastifyInstance } from 'fastify';
import { completeAuthorization } from '../../oauth/completeAuthorization.js';
import type { Provider } from '../../oauth/Provider.js';
import { sendPage } from '../pages/sendPage.js';
import { browserBindingCookie } from './browserBindingCookie.js';
import { outcomePage } from './outcomePage.js';
import { popupPage } from './popupPage.js';
import { returnToUrl } from './returnToUrl.js';

type Dependencies = Parameters<typeof completeAuthorization>[0];

const FINISHED: ReadonlySet<string> = new Set(['completed', 'denied', 'failed']);

/** `GET /oauth/<provider>/callback`: where the merchant's browser lands (RFC 6749 4.1.2). */
export function callbackRoute(app: FastifyInstance, dependencies: Dependencies, provider: Provider): void {
  app.route({
    method: 'GET',
    url: `/oauth/${provider.id}/callback`,
    // A HEAD request must not spend a state whose outcome nobody would see.
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const query = new URLSearchParams(request.raw.url?.split('?', 2)[1] ?? '');
      const outcome = await completeAuthorization(dependencies, provider, {
        query,
        browserBinding: (id) => request.cookies[browserBindingCookie(id)],
      });
      const page = outcomePage(outcome, provider);
      if (outcome.kind === 'unknown_state' || outcome.kind === 'refused' || outcome.kind === 'in_progress')
        return sendPage(reply, page);

      const { authorization } = outcome;
      if (authorization.browserBindingHash) reply.clearCookie(browserBindingCookie(authorization.id), { path: '/oauth' });
      if (!authorization.returnTo) return sendPage(reply, page);
      if (authorization.display === 'popup') return sendPage(reply, popupPage(page, authorization));
      if (!FINISHED.has(outcome.kind)) return sendPage(reply, page);
      return reply
        .code(303)
        .headers({
          location: returnToUrl(authorization) as string,
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        })
        .send();
    },
  });
}
