import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { heldConnections } from './heldConnections.js';
import { inboxRoutes } from './inbox/inboxRoutes.js';
import { type InboxControl, InboxStore, inboxControl } from './inbox/inboxStore.js';
import { jsonApiError } from './klaviyo/api/jsonApi.js';
import { type KlaviyoControl, klaviyoControl } from './klaviyo/control/klaviyoControl.js';
import { createKlaviyo, klaviyoRoutes } from './klaviyo/createKlaviyo.js';
import { rootPath } from './klaviyo/klaviyoContext.js';
import type { SandboxOptions } from './SandboxOptions.js';
import { sandboxStyles, sendAnswer } from './web.js';

export type { InboxBehaviour, ReceivedRequest } from './inbox/inboxStore.js';
export type { NewApp, SandboxApp } from './klaviyo/appBook.js';
export type { ArrivedEvent } from './klaviyo/eventLog.js';
export type { FaultKind, FaultOrder } from './klaviyo/faults.js';
export type { InboxControl, KlaviyoControl, SandboxOptions };

export interface Sandbox {
  /** Register it under the path that `baseUrl` ends in. */
  plugin: FastifyPluginAsync;
  klaviyo: KlaviyoControl;
  inbox: InboxControl;
  /** Saves unsaved state and releases held connections. Closing the server around the plugin does the same. */
  close(): Promise<void>;
}

/** Creates a local Klaviyo and a webhook inbox. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const held = heldConnections();
  const { context, flush } = createKlaviyo(options, held);
  const klaviyo = klaviyoControl(context);
  const store = new InboxStore(context.now);
  const inbox = inboxControl(store, held);
  const close = async () => {
    held.releaseAll();
    await flush();
  };
  const plugin = sandboxPlugin({
    routes: [
      (app) => klaviyoRoutes(app, context, klaviyo),
      (app) => inboxRoutes(app, { store, held, root: () => rootPath(options) }, inbox, options.baseUrl),
    ],
    release: held.releaseAll,
    close,
  });
  return { plugin, klaviyo, inbox, close };
}

interface SandboxPluginParts {
  routes: ((app: FastifyInstance) => void)[];
  /** Releases the connections that would keep a closing server waiting. */
  release: () => void;
  close: () => Promise<void>;
}

/**
 * Wraps the sandbox in one encapsulated plugin, so that its parsers, headers and error handlers do not affect the app around it.
 */
function sandboxPlugin({ routes, release, close }: SandboxPluginParts): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // Every body stays raw: each route checks the content type itself, and signatures are over bytes.
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    // URLs here contain states and challenges, and Fastify logs URLs at level "info".
    app.addHook('onRoute', (route) => {
      route.logLevel = 'error';
    });
    // A surrounding helmet plugin sets headers on the raw response. The consent page runs in pop-ups that talk to their opener,
    // which Cross-Origin-Opener-Policy would cut off.
    app.addHook('onRequest', async (_request, reply) => dropOpenerPolicy(reply));
    app.addHook('onSend', async (_request, reply) => dropOpenerPolicy(reply));
    app.addHook('preClose', async () => release());
    app.addHook('onClose', close);

    app.setErrorHandler<FastifyError>((error, request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) request.log.error({ err: error }, 'sandbox failed');
      return sendAnswer(reply, jsonApiError(status, error.code ?? 'error', 'The sandbox refused the request.', error.message));
    });

    app.get('/sandbox.css', (_request, reply) =>
      reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=60').send(sandboxStyles),
    );
    for (const register of routes) register(app);
  };
}

function dropOpenerPolicy(reply: FastifyReply): void {
  reply.removeHeader('cross-origin-opener-policy');
  if (!reply.raw.headersSent) reply.raw.removeHeader('cross-origin-opener-policy');
}
