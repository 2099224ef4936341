import { describe, expect, it, vi } from 'vitest';
import { expectError, expectResponse, guardedHttpForTest, post } from './support/guardedHttpForTest.js';
import { httpReceiver, tcpReceiver } from './support/receivers.js';

const HEAD = 'HTTP/1.1 200 OK\r\n';

describe('limits of an exchange', () => {
  it('sends method, path, query, headers and body as they are, and reads the answer', async () => {
    const receiver = await httpReceiver(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.writeHead(201, { 'Retry-After': '7', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end(
        JSON.stringify({
          method: request.method,
          url: request.url,
          shop: request.headers['x-shop'],
          host: request.headers.host,
          body,
        }),
      );
    });
    const request = post(`${receiver.origin}/a%20b?c=d`, { headers: { 'X-Shop': 'north' }, body: '{"ä":1}' });
    const response = expectResponse(await guardedHttpForTest().send(request));
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({ 'retry-after': '7', 'set-cookie': ['a=1', 'b=2'] });
    expect(JSON.parse(response.body)).toEqual({
      method: 'POST',
      url: '/a%20b?c=d',
      shop: 'north',
      host: `127.0.0.1:${receiver.port}`,
      body: '{"ä":1}',
    });
    expect(response.bodyTruncated).toBe(false);
    expect(Number.isInteger(response.durationMs)).toBe(true);
  });

  it('accepts a Buffer as body, and a response without one', async () => {
    const received: Buffer[] = [];
    const receiver = await httpReceiver((request, response) => {
      request.on('data', (chunk) => received.push(chunk)).on('end', () => response.writeHead(204).end());
    });
    const response = expectResponse(await guardedHttpForTest().send(post(receiver.origin, { body: Buffer.from([1, 2, 255]) })));
    expect([response.statusCode, response.body]).toEqual([204, '']);
    expect(Buffer.concat(received)).toEqual(Buffer.from([1, 2, 255]));
  });

  it('skips 1xx responses', async () => {
    const receiver = await tcpReceiver((socket) =>
      socket.once('data', () => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nok`)),
    );
    expect(expectResponse(await guardedHttpForTest().send(post(receiver.origin)))).toMatchObject({ statusCode: 200, body: 'ok' });
  });

  it('times out without a response', async () => {
    const receiver = await httpReceiver(() => {});
    const error = expectError(await guardedHttpForTest({ timeoutMs: 200 }).send(post(receiver.origin)));
    expect(error).toMatchObject({ code: 'timeout', message: `127.0.0.1:${receiver.port} did not answer in full within 0.2 s.` });
    expect(error.durationMs).toBeGreaterThanOrEqual(195);
    await vi.waitFor(() => expect(receiver.sockets[0]?.destroyed).toBe(true));
  });

  it('times out while a name is being looked up', async () => {
    const http = guardedHttpForTest({ timeoutMs: 200, lookup: () => new Promise(() => {}) });
    expect(expectError(await http.send(post('http://hooks.example.com/'))).code).toBe('timeout');
  });

  it('times out during a TLS handshake that is never answered', async () => {
    const receiver = await tcpReceiver(() => {});
    const http = guardedHttpForTest({ timeoutMs: 200 });
    expect(expectError(await http.send(post(`https://127.0.0.1:${receiver.port}/`))).code).toBe('timeout');
  });

  it('times out on a body that drips: the limit is for the whole exchange', async () => {
    const receiver = await httpReceiver((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const error = expectError(await guardedHttpForTest({ timeoutMs: 300 }).send(post(receiver.origin)));
    expect(error.code).toBe('timeout');
    await vi.waitFor(() => expect(receiver.sockets[0]?.destroyed).toBe(true));
  });

  it('times out on headers that drip', async () => {
    const receiver = await tcpReceiver((socket) => {
      socket.write(HEAD);
      const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expect(expectError(await guardedHttpForTest({ timeoutMs: 300 }).send(post(receiver.origin))).code).toBe('timeout');
  });

  it('uses the timeout of a single request', async () => {
    const receiver = await httpReceiver(() => {});
    const error = expectError(await guardedHttpForTest().send(post(receiver.origin, { timeoutMs: 100 })));
    expect([error.code, error.durationMs < 1_000]).toEqual(['timeout', true]);
  });

  it('includes the wait for a free socket, and does not close that socket', async () => {
    const receiver = await httpReceiver(
      (request, response) => void setTimeout(() => response.end(), request.url === '/slow' ? 300 : 0),
    );
    const http = guardedHttpForTest({ connectionsPerOrigin: 1 });
    const slow = http.send(post(`${receiver.origin}/slow`));
    const waiting = http.send(post(`${receiver.origin}/never`, { timeoutMs: 100 }));
    expect(expectError(await waiting).code).toBe('timeout');
    expect(expectResponse(await slow).statusCode).toBe(200);
    expect(expectResponse(await http.send(post(`${receiver.origin}/after`))).statusCode).toBe(200);
    expect(receiver.sockets).toHaveLength(1);
  });

  it('reads a body of exactly the limit in full', async () => {
    const receiver = await httpReceiver((_, response) => response.end('a'.repeat(16_384)));
    const response = expectResponse(await guardedHttpForTest().send(post(receiver.origin)));
    expect([response.body.length, response.bodyTruncated]).toEqual([16_384, false]);
  });

  it('truncates a body of 10 MB and stops reading it', async () => {
    const onClose = vi.fn();
    const receiver = await httpReceiver((_, response) => {
      response.on('close', () => onClose(response.writableFinished));
      response.writeHead(500).end(Buffer.alloc(10_485_760, 'a'));
    });
    const response = expectResponse(await guardedHttpForTest().send(post(receiver.origin)));
    expect([response.statusCode, response.body, response.bodyTruncated]).toEqual([500, 'a'.repeat(16_384), true]);
    await vi.waitFor(() => expect(onClose).toHaveBeenCalledWith(false));
  });

  it('truncates a body that never ends, without waiting for the timeout', async () => {
    const receiver = await httpReceiver((_, response) => {
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(8_192)));
      };
      response.on('drain', pour);
      pour();
    });
    const response = expectResponse(await guardedHttpForTest().send(post(receiver.origin)));
    expect([response.statusCode, response.body.length, response.bodyTruncated]).toEqual([200, 16_384, true]);
    await vi.waitFor(() => expect(receiver.sockets[0]?.destroyed).toBe(true));
  });

  it('joins a body that comes in pieces, and cuts it at the limit', async () => {
    const receiver = await httpReceiver(async (_, response) => {
      for (const piece of ['abcd', 'efgh', 'ijkl', 'mnop']) {
        response.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      response.end();
    });
    const whole = expectResponse(await guardedHttpForTest().send(post(receiver.origin)));
    expect([whole.body, whole.bodyTruncated]).toEqual(['abcdefghijklmnop', false]);
    const cut = expectResponse(await guardedHttpForTest({ maxBodyBytes: 10 }).send(post(receiver.origin)));
    expect([cut.body, cut.bodyTruncated]).toEqual(['abcdefghij', true]);
  });

  it('replaces what is not UTF-8, drops NUL, and never leaves half a character', async () => {
    const receiver = await httpReceiver((request, response) =>
      response.end(request.url === '/cut' ? 'aaa€€' : Buffer.from([0x61, 0x00, 0xff, 0x62])),
    );
    expect(expectResponse(await guardedHttpForTest().send(post(receiver.origin))).body).toBe('a\ufffdb');
    const cut = expectResponse(await guardedHttpForTest({ maxBodyBytes: 7 }).send(post(`${receiver.origin}/cut`)));
    expect(cut.body).toBe('aaa€');
  });

  it('refuses huge headers', async () => {
    const receiver = await tcpReceiver((socket) => socket.write(`${HEAD}X-Huge: ${'a'.repeat(200_000)}\r\n\r\n`));
    expect(expectError(await guardedHttpForTest().send(post(receiver.origin))).code).toBe('protocol');
  });
});
