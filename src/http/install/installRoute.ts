import type { FastifyInstance } from 'fastify';
import type { Provider } from '../../oauth/Provider.js';
import { html } from '../pages/html.js';
import { sendPage } from '../pages/sendPage.js';

/**
 * `GET /oauth/<provider>/install`: the app's installation URL, for installs that begin at the provider's listing page.
 * An authorization belongs to a connection of an organization, so the merchant has to be known first: the browser goes to
 * the frontend (INSTALL_URL), where the merchant signs in and the app calls `startAuthorization`. What the provider adds
 * to the URL is handed on. Without a frontend, a page says what to do.
 */
export function installRoute(app: FastifyInstance, provider: Provider, installUrl: string | null): void {
  app.get(`/oauth/${provider.id}/install`, (request, reply) => {
    if (installUrl === null)
      return sendPage(reply, { status: 200, title: `Connect ${provider.name}`, body: whatToDo(provider.name) });
    const url = new URL(installUrl);
    for (const [name, value] of Object.entries(request.query as Record<string, string | string[]>)) {
      // What the operator put there stays; a repeated parameter is handed on once.
      if (!url.searchParams.has(name)) url.searchParams.set(name, Array.isArray(value) ? (value[0] ?? '') : value);
    }
    return reply.code(303).headers({ location: url.href, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).send();
  });
}

const whatToDo = (name: string) => html`<div class="mark wait" aria-hidden="true">→</div>
<h1>One more step to connect ${name}</h1>
<p>${name} sent you here to connect your account. The connection is made from the app that sends your parcel events.</p>
<p>Sign in to that app, open its ${name} settings, and choose <strong>Connect</strong>. If your account was connected before, this connects it again and nothing is lost.</p>`;
