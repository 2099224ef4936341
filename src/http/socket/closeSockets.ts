import type { FastifyInstance } from 'fastify';

const PATIENCE_MS = 500;

/** Asks all websockets to go elsewhere (1012, RFC 6455's registry: service restart), and ends those that stay. */
export function closeSockets(this: FastifyInstance, done: () => void): void {
  const { websocketServer } = this;
  for (const socket of websocketServer.clients) socket.close(1012, 'This server is stopping');
  websocketServer.close();
  setTimeout(() => {
    for (const socket of websocketServer.clients) socket.terminate();
  }, PATIENCE_MS).unref();
  done();
}
