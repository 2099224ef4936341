import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface RecordedExchange {
  readonly method: string;
  readonly path: string;
  readonly requestHeaders: Headers;
  readonly requestBody: string;
  readonly status: number;
  readonly responseBody: string;
}

export interface RecordingProxy {
  readonly origin: string;
  readonly exchanges: RecordedExchange[];
  /** Replaces the body of the token endpoint's responses, given the original body and the request's. */
  rewrite: ((body: string, sent: string) => string) | null;
  close(): Promise<void>;
}

/** Forwards every request to `target`, and records requests and responses. */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const exchanges: RecordedExchange[] = [];
  const proxy: Pick<RecordingProxy, 'rewrite'> = { rewrite: null };
  const server = createServer(async (request, response) => {
    try {
      const body = await buffer(request);
      const requestHeaders = new Headers(
        Object.entries(request.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const])),
      );
      const forwarded = new Headers(requestHeaders);
      for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) forwarded.delete(name);
      const answer = await fetch(`${target}${request.url}`, {
        method: request.method ?? 'GET',
        headers: forwarded,
        body: body.length > 0 ? new Uint8Array(body) : undefined,
        redirect: 'manual',
      });
      const original = await answer.text();
      const rewrite = request.url?.endsWith('/oauth/token') ? proxy.rewrite : null;
      const responseBody = rewrite ? rewrite(original, body.toString('utf8')) : original;
      exchanges.push({
        method: request.method ?? '',
        path: request.url ?? '',
        requestHeaders,
        requestBody: body.toString('utf8'),
        status: answer.status,
        responseBody,
      });
      const headers = Object.fromEntries([...answer.headers].filter(([name]) => !HOP_BY_HOP.has(name)));
      response.writeHead(answer.status, headers).end(responseBody);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return Object.assign(proxy, {
    origin: `http://127.0.0.1:${port}`,
    exchanges,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Headers about the connection, or about an encoding that `fetch` has undone. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-encoding', 'content-length']);
