import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkSession } from '../../access/authenticate.js';
import { type AccessDependencies, countRequest, refuseTooMany } from '../../access/limits.js';
import { findConnection } from '../../connections/listConnections.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection } from '../../domain/Connection.js';
import { Credential } from '../../domain/Credential.js';
import { InputError, SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import { Organization } from '../../domain/Organization.js';
import { Subscription } from '../../domain/Subscription.js';
import type { Provider } from '../../oauth/Provider.js';
import { scopesToRequest, startAuthorization } from '../../oauth/startAuthorization.js';
import { browserBindingCookie, browserBindingOptions } from '../callback/callbackRoute.js';
import { unexpectedPage } from '../callback/outcomePage.js';
import { callerAddress } from '../callerAddress.js';
import { isOurPage } from '../origins.js';
import { sendPage } from '../pages.js';
import { wordsFor } from '../texts/texts.js';
import { type Brand, connectPage, type LinkProblem, problemPage } from './connectPage.js';
import { CONNECT_PATH, connectAddress, rememberedLink, rememberLink } from './linkCookie.js';

type Dependencies = AccessDependencies &
  Parameters<typeof startAuthorization>[0] & { readonly log: Logger; readonly publicUrl: string };

interface ConnectRouteOptions {
  readonly dependencies: Dependencies;
  readonly publicUrl: string;
  readonly brand: Brand;
}

/** Our own form is far smaller. */
const BODY_LIMIT_BYTES = 2_048;

/**
 * Adds the connect page, to which a session's link leads (`url` of `createSession`).
 *
 * `GET /connect/<token>` stores the token in a cookie and redirects to `/connect`, so that the token stays in no address
 * bar. `GET /connect` shows which app requests which access. Neither starts anything, however often a scanner or a preview
 * loads it. `POST /connect` is the page's button: it starts an authorization that only this browser can complete. It is
 * refused unless the request comes from the page itself and the page showed the link that the cookie holds now. So an
 * attacker gains nothing by replacing the cookie after the page was shown.
 */
export async function connectRoutes(
  app: FastifyInstance,
  { dependencies, publicUrl, brand }: ConnectRouteOptions,
): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: BODY_LIMIT_BYTES },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });
  app.setErrorHandler((error, request, reply) => sendProblem(dependencies.log, error, request, reply));

  app.get<{ Params: { token: string } }>(`${CONNECT_PATH}/:token`, async (request, reply) => {
    refuseUnseen(request);
    const { token } = request.params;
    const { session } = await openLink(dependencies, token, request);
    rememberLink(reply, publicUrl, { token, expiresAt: session.expiresAt });
    return reply
      .code(303)
      .header('location', connectAddress(isPopup(request)))
      .send();
  });

  app.get(CONNECT_PATH, async (request, reply) => {
    const caller = await openLink(dependencies, rememberedLink(request, publicUrl), request);
    const { session } = caller;
    await countCall(dependencies, caller, 'read');
    const { connection, provider, ...asked } = await readQuestion(dependencies, caller);
    const words = wordsFor(session.locale, request.headers['accept-language']);
    const question = {
      ...{ brand, connection, provider, ...asked },
      ...{ sessionId: session.id, isPopup: isPopup(request), returnTo: session.returnTo },
    };
    return sendPage(reply, {
      status: 200,
      language: words.language,
      ...connectPage(question, words),
      formTargets: formTargets(provider),
      hasImage: brand.logo !== null,
      referrerPolicy: 'same-origin',
    });
  });

  app.post(CONNECT_PATH, async (request, reply) => {
    refuseForeign(request, publicUrl);
    const caller = await openLink(dependencies, rememberedLink(request, publicUrl), request);
    const { session } = caller;
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    if (form.get('session') !== session.id) throw new BadLink('changed');
    await countCall(dependencies, caller, 'write');
    // A pop-up stays open as a page when its opener's origin is unknown.
    const tellsOpener = form.get('display') === 'popup' && Boolean(session.origin ?? session.returnTo);
    const started = await startAuthorization(dependencies, caller, {
      connectionId: String(session.connectionId),
      display: tellsOpener ? 'popup' : 'page',
      bindToBrowser: true,
      locale: wordsFor(session.locale, request.headers['accept-language']).language,
    });
    const { authorization, authorizationUrl, browserBinding } = started;
    const options = browserBindingOptions(publicUrl, authorization.expiresAt);
    reply.setCookie(browserBindingCookie(authorization.id), browserBinding as string, options);
    return reply.code(303).header('location', authorizationUrl).send();
  });
}

type LinkCaller = Caller & { readonly session: NonNullable<Caller['session']> };

/** Returns the caller of a link's session. Throws BadLink, or what `checkSession` throws. */
async function openLink(dependencies: Dependencies, token: string | undefined, request: FastifyRequest): Promise<LinkCaller> {
  if (token === undefined) throw new BadLink('missing');
  const caller = await checkSession(dependencies, token, callerAddress(request));
  if (!caller.session.permissions.has('connect')) throw new BadLink('forbidden');
  return caller;
}

/** Counts the request as a call of the session. Throws RATE_LIMITED. */
async function countCall(dependencies: Dependencies, caller: Caller, kind: 'read' | 'write'): Promise<void> {
  const count = await countRequest(dependencies, caller, kind);
  if (count) refuseTooMany(count, kind);
}

interface Asked {
  readonly connection: Connection;
  readonly provider: Provider;
  readonly organizationName: string;
  readonly accountName: string | null;
  readonly scopes: readonly string[];
}

async function readQuestion(dependencies: Dependencies, caller: LinkCaller): Promise<Asked> {
  const { database, providers } = dependencies;
  const connection = await findConnection(dependencies, caller, String(caller.session.connectionId));
  if (!connection) throw new BadLink('ended');
  const provider = providers.get(connection.type);
  if (!provider) throw new BadLink('unavailable');
  const em = database.em();
  const [organization, credential, subscriptions] = [
    await em.findOneOrFail(Organization, caller.organizationId),
    await em.findOne(Credential, { connectionId: connection.id }),
    await em.count(Subscription, { connectionId: connection.id }),
  ];
  return {
    ...{ connection, provider, organizationName: organization.name },
    accountName: credential?.accessToken ? (credential.accountName ?? null) : null,
    scopes: scopesToRequest(provider, connection, subscriptions > 0),
  };
}

const isPopup = ({ query }: FastifyRequest): boolean => (query as Record<string, unknown>).display === 'popup';

/**
 * Refuses a browser that prefetches the link, or loads it as a picture or in a frame: otherwise another page could store a
 * link in this browser that the merchant has never seen. Throws BadLink.
 */
function refuseUnseen({ headers }: FastifyRequest): void {
  const destination = headers['sec-fetch-dest'];
  const prepares = /prefetch|prerender/.test(String(headers['sec-purpose'] ?? headers.purpose ?? ''));
  if (prepares || (destination !== undefined && destination !== 'document')) throw new BadLink('foreign');
}

/**
 * Refuses a form that another page has sent. The page itself is recognized by `Origin` (RFC 6454 7) and, where the browser
 * sends it, by `Sec-Fetch-Site`. In addition the cookie is required, which browsers do not send with another site's POST.
 * Throws BadLink.
 */
function refuseForeign(request: FastifyRequest, publicUrl: string): void {
  const site = request.headers['sec-fetch-site'];
  if ((site !== undefined && site !== 'same-origin') || !isOurPage(request, { publicUrl })) throw new BadLink('foreign');
}

/**
 * Returns the origins to which the form may lead. Chromium applies `form-action` to every redirect, and a provider may
 * redirect between its hosts for signing in.
 */
function formTargets(provider: Provider): string[] {
  const { protocol, host } = new URL(provider.authorizationUrl({ state: '', codeChallenge: '', scopes: [] }));
  const [, domain] = /^www\.(.+)$/.exec(host) ?? [];
  return ["'self'", `${protocol}//${host}`, ...(domain ? [`${protocol}//*.${domain}`] : [])];
}

class BadLink extends Error {
  constructor(readonly problem: LinkProblem) {
    super(problem);
  }
}

const PROBLEM_OF_CODE: Readonly<Record<string, LinkProblem>> = {
  UNAUTHENTICATED: 'unknown',
  SESSION_EXPIRED: 'expired',
  SESSION_ENDED: 'ended',
  RATE_LIMITED: 'tooMany',
};

/** Renders an error as a page, never as JSON. */
function sendProblem(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const words = wordsFor(null, request.headers['accept-language']);
  const problem = problemOf(error);
  if (problem) {
    const retryAfter = error instanceof SwitchboardError ? error.facts.retryAfterSeconds : undefined;
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    return sendPage(reply, { language: words.language, ...problemPage(problem, isPopup(request), words) });
  }
  const id = randomUUID();
  log.error({ errorId: id, error: (error as Error).stack ?? String(error) }, 'A connect page failed unexpectedly');
  return sendPage(reply, unexpectedPage(id, words));
}

function problemOf(error: unknown): LinkProblem | null {
  if (error instanceof BadLink) return error.problem;
  if (error instanceof SwitchboardError) return PROBLEM_OF_CODE[error.code] ?? null;
  if (error instanceof InputError) return 'unavailable';
  const { statusCode } = error as { statusCode?: number };
  // The body was not sent by our form.
  return statusCode !== undefined && statusCode < 500 ? 'foreign' : null;
}
