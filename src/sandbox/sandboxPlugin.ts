import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { jsonApiError } from './klaviyo/api/jsonApiError.js';
import { sendAnswer } from './web/answer.js';
import { sandboxStyles } from './web/sandboxStyles.js';

export interface SandboxPluginParts {
  routes: ((app: FastifyInstance) => void)[];
  /** Lets go of what would keep a closing server waiting. */
  release: () => void;
  close: () => Promise<void>;
}

/** The sandbox as one encapsulated plugin: parsers, headers and errors in here are no concern of the app around it. */
export function sandboxPlugin({ routes, release, close }: SandboxPluginParts): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers();
    // Every body stays raw: each route judges the content type itself, and signatures are over bytes.
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    // Addresses here carry states and challenges. Fastify logs addresses at "info".
    app.addHook('onRoute', (route) => {
      route.logLevel = 'error';
    });
    // A helmet around us sets headers on the raw response. The consent page runs in pop-ups that talk to their opener,
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
