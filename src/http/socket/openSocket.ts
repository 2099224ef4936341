import { randomBytes } from 'node:crypto';
import type { Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '../../domain/Logger.js';
import { checkJson } from '../limits/checkJson.js';

/** A peer that does not answer a ping until the next one is gone. */
const PING_MS = 15_000;
/** Bytes that wait for a peer who does not read; beyond, it is gone for us. */
const MOST_UNREAD = 4 * 1024 * 1024;
/** What a client may say (graphql-transport-ws). */
const CLIENT_MESSAGES = new Set<unknown>(['connection_init', 'ping', 'pong', 'subscribe', 'complete']);

/** What the server knows of a socket. */
export interface SocketExtra {
  readonly socket: WebSocket;
}

export interface SocketHooks {
  /** With each of our pings. */
  readonly onPing: () => Promise<void>;
  readonly onClose: () => void;
}

/** Joins a websocket to the protocol's server. */
export function openSocket<Extra extends SocketExtra>(
  server: Server<Extra>,
  extra: Extra,
  { onPing, onClose }: SocketHooks,
  log: Logger,
): void {
  const { socket } = extra;
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const failed = (error: unknown): void => {
    if (!isOpen()) return;
    log.error(
      { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      'A websocket failed unexpectedly',
    );
    socket.close(4500, 'Internal server error');
  };
  const send = (message: string): Promise<void> =>
    new Promise((resolve) => {
      if (socket.bufferedAmount > MOST_UNREAD) {
        socket.terminate();
        resolve();
        return;
      }
      // Whoever has gone needs no error: the close that follows ends everything.
      socket.send(message, () => resolve());
    });
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => socket.close(code, reason),
      onMessage: (receive) =>
        socket.on('message', (data) => {
          const message = String(data);
          if (!isOpen()) return;
          if (!mayBeSent(message)) return socket.close(4400, 'Not a message of graphql-transport-ws');
          receive(message).catch(failed);
        }),
      // Without the payload: it is the peer's own, and may be large.
      onPing: () => send('{"type":"pong"}'),
    },
    extra,
  );
  let asked: string | undefined;
  const pings = setInterval(() => {
    if (asked !== undefined) return socket.terminate();
    asked = randomBytes(8).toString('hex');
    socket.ping(asked);
    onPing().catch(failed);
  }, PING_MS);
  socket.on('pong', (data) => {
    if (String(data) === asked) asked = undefined;
  });
  // A broken frame, or one that is too large: ws has closed it with the fitting code.
  socket.on('error', () => {});
  socket.once('close', (code, reason) => {
    clearInterval(pings);
    onClose();
    Promise.resolve(closed(code, String(reason))).catch(failed);
  });
}

function mayBeSent(message: string): boolean {
  try {
    checkJson(Buffer.from(message));
    return CLIENT_MESSAGES.has((JSON.parse(message) as { type?: unknown } | null)?.type);
  } catch {
    return false;
  }
}
