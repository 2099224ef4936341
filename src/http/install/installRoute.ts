import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { countHit } from '../../access/limits.js';
import type { Database } from '../../database/Database.js';
import type { Logger } from '../../domain/Logger.js';
import { INSTALL_LIFETIME_MINUTES, leaveInstall } from '../../oauth/installs.js';
import type { Provider } from '../../oauth/Provider.js';
import { unexpectedPage } from '../callback/outcomePage.js';
import { callerAddress } from '../callerAddress.js';
import { type Html, html, sendPage } from '../pages.js';

interface Dependencies {
  readonly database: Database;
  readonly log: Logger;
}

/** Installs that one address may begin in a minute. It is enough for an office behind one address, and stops a flood. */
const MOST_PER_MINUTE = 30;

/**
 * Adds `GET /oauth/<provider>/install`, the app's installation URL, for installs that begin at the provider's listing page.
 * An authorization belongs to an organization's connection, so the merchant must sign in first. The install is stored, and
 * the browser is redirected to the frontend (INSTALL_URL) with its token as `install`. The merchant signs in there, and the
 * app calls `claimInstall`. The provider's parameters are passed on. Without a frontend, a page shows the token.
 */
export function installRoute(
  app: FastifyInstance,
  { database, log }: Dependencies,
  provider: Provider,
  installUrl: string | null,
): void {
  app.route({
    method: 'GET',
    url: `/oauth/${provider.id}/install`,
    // A HEAD request would create an install that nobody claims.
    exposeHeadRoute: false,
    errorHandler: (error, _request, reply) => {
      const id = randomUUID();
      log.error({ errorId: id, error: error.stack ?? String(error) }, 'An install failed unexpectedly');
      return sendPage(reply, unexpectedPage(id));
    },
    handler: async (request, reply) => {
      const { hits, resetsInSeconds } = await countHit({ database }, `install:${callerAddress(request)}`);
      if (hits > MOST_PER_MINUTE) return sendTooMany(reply.header('retry-after', String(resetsInSeconds)), provider);

      const [, query = ''] = /\?(.*)$/.exec(request.raw.url ?? '') ?? [];
      const parameters = new URLSearchParams(query);
      // A parameter `install` of the request is not passed on, because it is not our token.
      parameters.delete('install');
      const token = await leaveInstall({ database }, provider, parameters);
      if (token === null) log.warn({ provider: provider.id }, 'An install was not kept: too many wait to be claimed');
      if (installUrl === null) {
        return sendPage(reply, { status: 200, title: `Connect ${provider.name}`, body: nextStep(provider, token) });
      }
      const url = new URL(installUrl);
      for (const [name, value] of parameters) {
        // The operator's own parameters are kept. A repeated parameter is passed on once.
        if (!url.searchParams.has(name)) url.searchParams.set(name, value);
      }
      if (token === null) url.searchParams.delete('install');
      else url.searchParams.set('install', token);
      return reply
        .code(303)
        .headers({ location: url.href, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
        .send();
    },
  });
}

/**
 * Returns what to do next. Without a code, when too many installs wait, the app can still connect by starting an
 * authorization.
 */
function nextStep(provider: Provider, code: string | null): Html {
  return html`${sandboxBanner(provider)}<div class="mark wait" aria-hidden="true">→</div>
<h1>One more step to connect ${provider.name}</h1>
<p>${provider.name} sent you here to connect your account. The connection is made from the app that sends your parcel events.</p>
<p>Sign in to that app, open its ${provider.name} settings, and choose <strong>Connect</strong>. If your account was connected before, this connects it again and nothing is lost.</p>
${
  code === null
    ? null
    : html`<p>If the app asks for an installation code, it is this one, for ${INSTALL_LIFETIME_MINUTES} minutes:</p>
<p><code>${code}</code></p>`
}`;
}

function sendTooMany(reply: FastifyReply, provider: Provider): FastifyReply {
  const title = 'Too many installs at once';
  const body = html`${sandboxBanner(provider)}<div class="mark wait" aria-hidden="true">…</div>
<h1>${title}</h1>
<p>Many installs were begun from your network within a minute.</p>
<p>Load this page again in a minute, or connect ${provider.name} from the app that sends your parcel events.</p>`;
  return sendPage(reply, { status: 429, title, body });
}

function sandboxBanner({ sandbox, name }: Provider): Html | null {
  return sandbox ? html`<p class="sandbox">SANDBOX: no real ${name} account is involved.</p>` : null;
}
