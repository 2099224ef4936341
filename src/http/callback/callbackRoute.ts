import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Authorization } from '../../domain/Authorization.js';
import { Credential } from '../../domain/Credential.js';
import { completeAuthorization, Exchanges } from '../../oauth/completeAuthorization.js';
import { reasonOf } from '../../oauth/explainOutcome.js';
import type { Provider } from '../../oauth/Provider.js';
import { hasActiveSubscription } from '../../subscriptions/listSubscriptions.js';
import { tryAgainAddress } from '../connect/linkCookie.js';
import { Html, html, sendPage } from '../pages.js';
import { wordsFor } from '../texts/texts.js';
import { type OutcomePage, outcomePage, unexpectedPage } from './outcomePage.js';

type Dependencies = Omit<Parameters<typeof completeAuthorization>[0], 'exchanges'> & { readonly publicUrl: string };

const FINISHED: ReadonlySet<string> = new Set(['completed', 'denied', 'failed']);

/**
 * Adds `GET /oauth/<provider>/callback`, to which the provider sends the merchant's browser (RFC 6749 4.1.2). While a slow
 * provider is asked, the browser shows a page that reloads itself without JavaScript. A server that stops finishes its
 * exchanges first.
 */
export function callbackRoute(app: FastifyInstance, dependencies: Dependencies, provider: Provider): void {
  const exchanges = new Exchanges();
  app.addHook('onClose', () => exchanges.finish());
  app.route({
    method: 'GET',
    url: `/oauth/${provider.id}/callback`,
    // A HEAD request must not use up a state, because it would not show the outcome.
    exposeHeadRoute: false,
    // A merchant gets a page for every error, never JSON.
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
      const attempt = outcome.kind === 'unknown_state' ? null : outcome.authorization;
      const page = outcomePage(outcome, provider, {
        words: wordsFor(attempt?.locale),
        tryAgainAt: attempt && (await tryAgainAddress(dependencies, request, attempt)),
        receivesEvents,
        maySend: !receivesEvents || (await maySend(dependencies, linked as number, provider)),
      });
      if (outcome.kind === 'unknown_state' || outcome.kind === 'refused' || outcome.kind === 'in_progress')
        return sendPage(reply, page);

      const { authorization } = outcome;
      if (authorization.browserBindingHash) reply.clearCookie(browserBindingCookie(authorization.id), { path: '/oauth' });
      if (authorization.display === 'popup') return sendPage(reply, popupPage(page, authorization, provider.name));
      if (!authorization.returnTo) return sendPage(reply, page);
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

/** Returns whether the connection's grant has the scope that deliveries need. A merchant may have refused it. */
async function maySend({ database }: Dependencies, connectionId: number, { deliveryScope }: Provider): Promise<boolean> {
  const credential = await database.em().findOne(Credential, { connectionId });
  return !credential?.accessToken || credential.scopes.includes(deliveryScope);
}

/**
 * Returns the query: everything after the first question mark, with repeated parameters. A query may contain question marks
 * (RFC 3986 3.4).
 */
function readQuery(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}

/** Returns the name of an authorization's cookie. Each authorization has its own, so that two tabs do not share one. */
export function browserBindingCookie(authorizationId: string): string {
  return `switchboard_authorization_${authorizationId}`;
}

/**
 * Returns the options of the cookie. The browser sends it to our callback only, also when it comes from the provider's site
 * (SameSite=Lax, RFC 6265bis 5.6.7).
 */
export function browserBindingOptions(publicUrl: string, expires: Date) {
  return { path: '/oauth', httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:'), expires } as const;
}

/**
 * Returns the app's URL with the outcome in its query: `connection` (its id), `outcome` (completed, denied or failed) and,
 * unless it is completed, `error_code` and `error_description`, one or two sentences of ours for the merchant. Null without
 * a `returnTo`.
 */
function returnToUrl(authorization: Authorization, providerName: string): string | null {
  const { returnTo, connectionId, status, errorCode } = authorization;
  if (!returnTo) return null;
  const url = new URL(returnTo);
  if (connectionId) url.searchParams.set('connection', String(connectionId));
  url.searchParams.set('outcome', status);
  if (status !== 'completed' && errorCode) url.searchParams.set('error_code', errorCode);
  const description = explainToMerchant(authorization, providerName);
  if (description) url.searchParams.set('error_description', description);
  return url.href;
}

/** Returns one or two sentences about the error, in the language of the authorization. Null when there is no error. */
function explainToMerchant(authorization: Authorization, name: string): string | null {
  const reason = reasonOf(authorization);
  return reason && wordsFor(authorization.locale)(`reasons.${reason}`, { name });
}

/** The `data` of the `message` event that the opener receives. */
interface AuthorizationMessage {
  readonly type: 'switchboard:authorization';
  readonly connection: string | null;
  readonly outcome: string;
  readonly errorCode: string | null;
  /** One or two sentences for the merchant. */
  readonly errorDescription: string | null;
}

/**
 * Sends the outcome to the opener, at the one origin that may receive it, and closes the window. Without an opener the page
 * stays open.
 */
const popupScript = `(() => {
  const { message, origin } = JSON.parse(document.getElementById('outcome').textContent);
  if (!window.opener) return;
  window.opener.postMessage(message, origin);
  window.close();
})();`;

/** Returns the outcome page together with the message for the opener, which `popupScript` reads as data. */
function popupPage(page: OutcomePage, authorization: Authorization, providerName: string): OutcomePage & { script: string } {
  const { openerOrigin, returnTo, connectionId, status, errorCode } = authorization;
  const message: AuthorizationMessage = {
    type: 'switchboard:authorization',
    connection: connectionId ? String(connectionId) : null,
    outcome: status,
    errorCode: errorCode ?? null,
    errorDescription: explainToMerchant(authorization, providerName),
  };
  const data = JSON.stringify({ message, origin: openerOrigin ?? new URL(returnTo as string).origin }).replaceAll('<', '\\u003c');
  return {
    ...page,
    body: html`${page.body}${new Html(`<script type="application/json" id="outcome">${data}</script>`)}`,
    script: popupScript,
  };
}
