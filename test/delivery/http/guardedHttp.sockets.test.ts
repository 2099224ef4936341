import { describe, expect, it, vi } from 'vitest';
import { expectError, expectResponse, guardedHttpForTest, post } from './support/guardedHttpForTest.js';
import { httpReceiver } from './support/receivers.js';

describe('sockets', () => {
  it('are reused', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    const http = guardedHttpForTest();
    for (let i = 0; i < 5; i++) expectResponse(await http.send(post(receiver.origin)));
    expect(receiver.sockets).toHaveLength(1);
    expect(http.stats()).toEqual({ openSockets: 1, inFlight: 0 });
  });

  it('are at most connectionsPerOrigin', async () => {
    const receiver = await httpReceiver((_, response) => void setTimeout(() => response.end(), 20));
    const http = guardedHttpForTest({ connectionsPerOrigin: 3 });
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => http.send(post(receiver.origin))));
    expect(outcomes.every((outcome) => outcome.kind === 'response')).toBe(true);
    expect(receiver.sockets).toHaveLength(3);
  });

  it('are closed when idle, even if the receiver offers a longer time', async () => {
    const receiver = await httpReceiver((_, response) => response.writeHead(200, { 'keep-alive': 'timeout=600' }).end());
    const http = guardedHttpForTest({ idleSocketMs: 100 });
    expectResponse(await http.send(post(receiver.origin)));
    await vi.waitFor(() => expect(http.stats().openSockets).toBe(0), 5_000);
    expectResponse(await http.send(post(receiver.origin)));
  });

  it('to many origins are not kept beyond maxKeptSockets', async () => {
    const receiver = await httpReceiver((_, response) => response.end(), '0.0.0.0');
    const http = guardedHttpForTest({ maxKeptSockets: 10 });
    for (let i = 1; i <= 40; i++) expectResponse(await http.send(post(`http://127.0.1.${i}:${receiver.port}/`)));
    await vi.waitFor(() => expect(http.stats().openSockets).toBe(10));
  });

  it('of a receiver that went away and came back are replaced', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    const http = guardedHttpForTest();
    expectResponse(await http.send(post(receiver.origin)));
    receiver.sockets[0]?.destroy();
    await vi.waitFor(() => expect(http.stats().openSockets).toBe(0));
    expectResponse(await http.send(post(receiver.origin)));
  });
});

describe('aborting', () => {
  it('ends with the error aborted when the signal aborts', async () => {
    const receiver = await httpReceiver(() => {});
    const controller = new AbortController();
    const sending = guardedHttpForTest().send(post(receiver.origin, { signal: controller.signal }));
    await vi.waitFor(() => expect(receiver.sockets).toHaveLength(1));
    controller.abort();
    expect(expectError(await sending).code).toBe('aborted');
    await vi.waitFor(() => expect(receiver.sockets[0]?.destroyed).toBe(true));
  });

  it('sends nothing when the signal was aborted before', async () => {
    const receiver = await httpReceiver((_, response) => response.end());
    const http = guardedHttpForTest();
    expect(expectError(await http.send(post(receiver.origin, { signal: AbortSignal.abort() }))).code).toBe('aborted');
    expect(receiver.sockets).toHaveLength(0);
  });

  it('on close waits for requests in flight, accepts no new ones, and closes every socket', async () => {
    const receiver = await httpReceiver((_, response) => void setTimeout(() => response.end('done'), 200));
    const http = guardedHttpForTest();
    const sending = http.send(post(receiver.origin));
    const closing = http.close();
    expect(expectError(await http.send(post(receiver.origin))).code).toBe('aborted');
    expect(expectResponse(await sending).body).toBe('done');
    await closing;
    await vi.waitFor(() => expect(http.stats()).toEqual({ openSockets: 0, inFlight: 0 }));
  });

  it('on close waits no longer than the grace it was given', async () => {
    const receiver = await httpReceiver(() => {});
    const http = guardedHttpForTest({ timeoutMs: 120_000 });
    const sending = http.send(post(receiver.origin));
    await http.close(100);
    expect(expectError(await sending).code).toBe('aborted');
  });

  it('can be closed twice', async () => {
    const receiver = await httpReceiver(() => {});
    const http = guardedHttpForTest();
    const sending = http.send(post(receiver.origin));
    await Promise.all([http.close(50), http.close(50)]);
    expect(expectError(await sending).code).toBe('aborted');
  });
});
