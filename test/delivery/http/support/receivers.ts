import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { testCertificate } from './testCertificate.js';

export interface Receiver {
  readonly port: number;
  /** `http://127.0.0.1:port`, or https. */
  readonly origin: string;
  /** Every socket that was ever accepted. */
  readonly sockets: readonly Socket[];
}

/** Starts a receiver with Node's HTTP server. It ends with the test. */
export function httpReceiver(listener: RequestListener, host = '127.0.0.1'): Promise<Receiver> {
  return listen(createServer(listener), 'http', host);
}

export function httpsReceiver(listener: RequestListener): Promise<Receiver> {
  return listen(createTlsServer(testCertificate, listener), 'https', '127.0.0.1');
}

/** Starts a receiver that passes raw sockets to `onSocket`. */
export function tcpReceiver(onSocket: (socket: Socket) => void): Promise<Receiver> {
  return listen(createTcpServer(onSocket), 'http', '127.0.0.1');
}

async function listen(server: Server, scheme: 'http' | 'https', host: string): Promise<Receiver> {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, origin: `${scheme}://127.0.0.1:${port}`, sockets };
}
