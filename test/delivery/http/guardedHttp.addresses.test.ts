import type { buildConnector } from 'undici';
import { describe, expect, it, vi } from 'vitest';
import { createGuardedConnect } from '../../../src/delivery/http/guardedConnect.js';
import { PRIVATE_ADDRESSES } from './support/addresses.js';
import { expectError, expectResponse, guardedHttpForTest, post } from './support/guardedHttpForTest.js';
import { httpReceiver, httpsReceiver } from './support/receivers.js';
import { testCertificate } from './support/testCertificate.js';

const v4 = (address: string) => ({ address, family: 4 });
const v6 = (address: string) => ({ address, family: 6 });
const found = (address: string) => (address.includes(':') ? v6(address) : v4(address));

describe('where guarded HTTP may go', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '[::]',
  ])('never opens a socket to %s', async (host) => {
    const receiver = await httpReceiver((_, response) => response.end(), '::');
    const error = expectError(
      await guardedHttpForTest({ allowPrivateNetworks: [] }).send(post(`http://${host}:${receiver.port}/`)),
    );
    expect(error.code).toBe('private_address');
    expect(error.message).toContain('not at a public address');
    expect(receiver.sockets).toHaveLength(0);
  });

  it.each(PRIVATE_ADDRESSES.filter(([address]) => !address.includes('%')))(
    'refuses the literal address %s (%s) at once',
    async (address) => {
      const host = address.includes(':') ? `[${address}]` : address;
      const http = guardedHttpForTest({ allowPrivateNetworks: [] });
      expect(expectError(await http.send(post(`http://${host}:9/`))).code).toBe('private_address');
      expect(expectError(await http.send(post(`https://${host}:9/`))).code).toBe('private_address');
    },
  );

  it.each(PRIVATE_ADDRESSES)('refuses a name that resolves to %s (%s), and does not reveal the address', async (address) => {
    const http = guardedHttpForTest({ allowPrivateNetworks: [], lookup: async () => [found(address)] });
    const error = expectError(await http.send(post('http://hooks.example.com/')));
    expect(error.code).toBe('private_address');
    expect(error.message).not.toContain(address);
  });

  it('refuses localhost with the system’s resolver', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    const http = guardedHttpForTest({ allowPrivateNetworks: [] });
    expect(expectError(await http.send(post(`http://localhost:${receiver.port}/`))).code).toBe('private_address');
    expect(receiver.sockets).toHaveLength(0);
  });

  it('uses the permitted ones among several addresses', async () => {
    const receiver = await httpReceiver((_, response) => response.end('here'));
    const lookup = async () => [v6('::1'), v4('10.0.0.1'), v4('127.0.0.1')];
    const response = expectResponse(
      await guardedHttpForTest({ lookup }).send(post(`http://hooks.example.com:${receiver.port}/`)),
    );
    expect(response.body).toBe('here');
  });

  it('tries the next permitted address when one refuses', async () => {
    const receiver = await httpReceiver((_, response) => response.end('here'));
    const lookup = async () => [v4('127.0.0.2'), v4('127.0.0.1')];
    const response = expectResponse(
      await guardedHttpForTest({ lookup }).send(post(`http://hooks.example.com:${receiver.port}/`)),
    );
    expect(response.body).toBe('here');
  });

  it('looks a name up once for each connection, so that it cannot change between look-up and connect', async () => {
    const receiver = await httpReceiver((_, response) => response.end('here'));
    const lookup = vi
      .fn()
      .mockResolvedValueOnce([v4('127.0.0.1')])
      .mockResolvedValue([v4('10.0.0.1')]);
    const http = guardedHttpForTest({ lookup });
    expectResponse(await http.send(post(`http://hooks.example.com:${receiver.port}/`)));
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  it('checks a name again for every new connection: one that turned private is refused', async () => {
    const receiver = await httpReceiver((_, response) => response.writeHead(200, { connection: 'close' }).end());
    const lookup = vi
      .fn()
      .mockResolvedValueOnce([v4('127.0.0.1')])
      .mockResolvedValue([v4('10.0.0.1')]);
    const http = guardedHttpForTest({ lookup });
    const request = post(`http://hooks.example.com:${receiver.port}/`);
    expectResponse(await http.send(request));
    expect(expectError(await http.send(request)).code).toBe('private_address');
  });

  it('destroys a socket that turns out to be connected to an address that is not permitted', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    // Permits the literal address, then refuses the same one on the socket, as if the connection had been redirected.
    const permits = vi.fn().mockReturnValueOnce(true).mockReturnValue(false);
    const onSocket = vi.fn();
    const connect = createGuardedConnect({ policy: { permits }, lookup: async () => [], timeoutMs: 1_000, onSocket });
    const error = await new Promise((resolve) =>
      connect(
        { hostname: '127.0.0.1', protocol: 'http:', port: String(receiver.port) },
        (...[failure]: Parameters<buildConnector.Callback>) => resolve(failure),
      ),
    );
    expect(error).toMatchObject({ code: 'ERR_ADDRESS_REFUSED' });
    expect(onSocket).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(receiver.sockets[0]?.destroyed).toBe(true));
  });

  it('checks the certificate against the name, though it connects to an address', async () => {
    const receiver = await httpsReceiver((_, response) => response.end('secure'));
    const http = guardedHttpForTest({ ca: testCertificate.cert, lookup: async () => [v4('127.0.0.1')] });
    expect(expectResponse(await http.send(post(`https://hooks.example.com:${receiver.port}/`))).body).toBe('secure');
    expect(expectError(await http.send(post(`https://other.example.com:${receiver.port}/`))).code).toBe('tls');
  });

  it('never follows a redirect', async () => {
    const target = await httpReceiver((_, response) => response.end());
    const receiver = await httpReceiver((_, response) => response.writeHead(307, { location: target.origin }).end('elsewhere'));
    const response = expectResponse(await guardedHttpForTest().send(post(receiver.origin)));
    expect([response.statusCode, response.headers.location, response.body]).toEqual([307, target.origin, 'elsewhere']);
    expect(target.sockets).toHaveLength(0);
  });
});
