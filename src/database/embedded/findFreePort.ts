import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Returns a TCP port of 127.0.0.1 that is free at the moment. Another program may take it at any time, so the caller must be
 * ready to ask again.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
