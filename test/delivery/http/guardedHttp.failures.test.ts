import { describe, expect, it } from 'vitest';
import { expectError, guardedHttpForTest, post } from './support/guardedHttpForTest.js';
import { httpReceiver, httpsReceiver, tcpReceiver } from './support/receivers.js';

const HEAD = 'HTTP/1.1 200 OK\r\n';

describe('error codes', () => {
  it('connection_refused', async () => {
    const receiver = await tcpReceiver(() => {});
    const error = expectError(
      await guardedHttpForTest().send(post(`http://127.0.0.9:${receiver.port}/secret-path?token=secret`)),
    );
    expect(error.code).toBe('connection_refused');
    expect(error.message).toMatch(/^127\.0\.0\.9:\d+ could not be reached/);
    expect(error.message).not.toContain('secret');
  });

  it.each([
    ['at once', (socket: import('node:net').Socket) => void socket.resetAndDestroy()],
    ['after the request', (socket: import('node:net').Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ['politely, without an answer', (socket: import('node:net').Socket) => void socket.once('data', () => socket.end())],
    ['in the middle of the headers', (socket: import('node:net').Socket) => void socket.once('data', () => socket.end(HEAD))],
    [
      'in the middle of the body',
      (socket: import('node:net').Socket) =>
        void socket.once('data', () => socket.write(`${HEAD}Content-Length: 9\r\n\r\nhalf`, () => socket.resetAndDestroy())),
    ],
  ])('connection_reset, when it is closed %s', async (_, onSocket) => {
    const receiver = await tcpReceiver(onSocket);
    expect(expectError(await guardedHttpForTest().send(post(receiver.origin))).code).toBe('connection_reset');
  });

  it('dns, when a name cannot be resolved', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    const error = expectError(await guardedHttpForTest({ lookup }).send(post('https://hooks.example.com/')));
    expect(error).toMatchObject({ code: 'dns', message: 'The host name of hooks.example.com could not be resolved.' });
  });

  it('dns, when a name has no address', async () => {
    const http = guardedHttpForTest({ lookup: async () => [] });
    expect(expectError(await http.send(post('https://hooks.example.com/'))).code).toBe('dns');
  });

  it('dns, with the system’s resolver', async () => {
    expect(expectError(await guardedHttpForTest({ timeoutMs: 15_000 }).send(post('https://nobody.invalid/'))).code).toBe('dns');
  });

  it('tls, for a certificate that is not trusted', async () => {
    const receiver = await httpsReceiver((_, response) => response.end());
    const error = expectError(await guardedHttpForTest().send(post(receiver.origin)));
    expect(error.code).toBe('tls');
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('tls, for a receiver that only speaks plain HTTP', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    expect(expectError(await guardedHttpForTest().send(post(receiver.origin.replace('http', 'https')))).code).toBe('tls');
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.9\r\n'],
    ['HTTP/1.1 abc\r\n\r\n'],
    [`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`],
    [`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab`],
  ])('protocol, for the answer %j', async (answer) => {
    const receiver = await tcpReceiver((socket) => socket.once('data', () => socket.write(answer)));
    expect(expectError(await guardedHttpForTest().send(post(receiver.origin))).code).toBe('protocol');
  });

  it('never an upgrade without a request for it', async () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    const receiver = await tcpReceiver((socket) => socket.once('data', () => socket.write(answer)));
    expect(expectError(await guardedHttpForTest().send(post(receiver.origin))).code).toBe('connection_reset');
  });

  it.each(['', 'hooks', '/path', 'ftp://example.com', 'data:text/plain,a', 'http://', 'http://a b/', 'file:///etc/passwd'])(
    'invalid_url, for %j',
    async (url) => {
      expect(expectError(await guardedHttpForTest().send(post(url))).code).toBe('invalid_url');
    },
  );

  it.each<Record<string, string>>([
    { 'X-Shop': 'a\r\nHost: b' },
    { 'X Shop': 'a' },
    { 'Transfer-Encoding': 'chunked' },
    { Expect: '100-continue' },
    { 'Content-Length': '99' },
  ])('protocol, for the request header %j, without a throw', async (headers) => {
    const receiver = await httpReceiver((_, response) => response.end());
    const error = expectError(await guardedHttpForTest().send(post(receiver.origin, { headers })));
    expect(error.code).toBe('protocol');
  });
});
