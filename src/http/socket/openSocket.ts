import type { Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../../domain/Logger.js';

/** A peer that does not answer a ping until the next one is gone. */
const PING_MS = 15_000;

/** What the server knows of a socket. */
export interface SocketExtra {
  readonly socket: WebSocket;
}

/** Joins a websocket to the protocol's server. `onPing` runs with each ping, and closes the socket by throwing. */
export function openSocket<Extra extends SocketExtra>(
  server: Server<Extra>,
  extra: Extra,
  onPing: () => Promise<void>,
  log: Logger,
): void {
  const { socket } = extra;
  const failed = (error: unknown): void => {
    log.error(
      { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      'A websocket failed unexpectedly',
    );
    socket.close(4500, 'Internal server error');
  };
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (message) =>
        new Promise((resolve) => {
          // Whoever has gone needs no error: the close that follows ends everything.
          socket.send(message, () => resolve());
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) => socket.on('message', (data) => void receive(String(data)).catch(failed)),
    },
    extra,
  );
  let answered = true;
  const pings = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
    onPing().catch(() => {});
  }, PING_MS);
  socket.on('pong', () => {
    answered = true;
  });
  // A broken frame, or one that is too large: ws has closed it with the fitting code.
  socket.on('error', () => {});
  socket.once('close', (code, reason) => {
    clearInterval(pings);
    Promise.resolve(closed(code, String(reason))).catch(failed);
  });
}
