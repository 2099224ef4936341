import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A receiver in a separate process, controlled over IPC. `/fast` responds at once, `/slow` after 10 s, `/hang` never, and
 * `/dead` cuts the connection. `/kept/50` responds after 50 ms and stores the `webhook-id` of each request. For a body with
 * `"sentAt": <ms since 1970>`, the latency is stored.
 */
const SLOW_MS = 10_000;
let count = 0;
let latencies: number[] = [];
let arrivals: { id: string; at: number }[] = [];
let waiter: { target: number; done: () => void } | undefined;

const server = createServer((request, response) => {
  const path = request.url ?? '';
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const now = performance.timeOrigin + performance.now();
    if (path === '/hang') return;
    if (path === '/dead') return void request.socket.destroy();
    if (path === '/slow') return void setTimeout(() => response.end('ok'), SLOW_MS);
    const mark = body.indexOf('"sentAt":');
    if (mark >= 0) latencies.push(now - Number.parseFloat(body.slice(mark + 9)));
    if (path.startsWith('/kept/')) {
      arrivals.push({ id: String(request.headers['webhook-id']), at: now });
      setTimeout(() => response.end('ok'), Number(path.slice('/kept/'.length)));
    } else response.end('ok');
    count++;
    if (waiter && count >= waiter.target) waiter.done();
  });
});
server.keepAliveTimeout = 30_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', (message: { reset?: true; report?: true; waitFor?: number }) => {
  if (message.reset) {
    count = 0;
    latencies = [];
    arrivals = [];
    process.send?.({ done: true });
  }
  if (message.report) process.send?.({ count, latencies, arrivals });
  if (message.waitFor) {
    const done = () => {
      waiter = undefined;
      process.send?.({ done: true });
    };
    waiter = { target: message.waitFor, done };
    if (count >= message.waitFor) done();
  }
});
process.on('disconnect', () => process.exit());
