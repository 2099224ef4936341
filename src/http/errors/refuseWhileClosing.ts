import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

const RETRY_AFTER_SECONDS = 5;

/** Milliseconds after which connections that are still open are cut: their clients don't read, or nobody could answer them. */
const LONGEST_ANSWER_MS = 30_000;

/**
 * Answers 503 with Retry-After from the moment that the server begins to close, on connections that are still open, and
 * closes them. What was already being done is finished, and its connection is closed, too: a client that keeps it would
 * keep the server for as long.
 */
export function refuseWhileClosing(app: FastifyInstance): void {
  let closing = false;
  const silent = silentSockets(app.server);
  app.addHook('preClose', (done) => {
    closing = true;
    for (const socket of silent) socket.destroy();
    setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS).unref();
    done();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onRequest', async () => {
    if (!closing) return;
    throw new SwitchboardError('SERVICE_UNAVAILABLE', 'This server is stopping. Try again in a few seconds.', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  });
}

/** Connections on which nothing was asked yet: Node doesn't count them as idle, and waits for them without end. */
function silentSockets(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  const heard = ({ socket }: IncomingMessage): unknown => silent.delete(socket);
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', heard);
  server.on('upgrade', heard);
  return silent;
}
