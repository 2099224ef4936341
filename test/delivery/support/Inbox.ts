import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** ms since 1970. */
  readonly at: number;
}

export type Answer = (response: ServerResponse, received: Received, count: number) => void;

/** A receiver on loopback that records requests. */
export class Inbox {
  readonly received: Received[] = [];
  answer: Answer;
  /** Number of unanswered requests, and the maximum so far. */
  open = 0;
  mostOpen = 0;

  private constructor(
    private readonly server: Server,
    answer: Answer,
  ) {
    this.answer = answer;
  }

  static async open(answer: Answer = (response) => response.end('ok')): Promise<Inbox> {
    const server = createServer((request, response) => {
      inbox.open++;
      inbox.mostOpen = Math.max(inbox.mostOpen, inbox.open);
      response.once('close', () => inbox.open--);
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const received = { url: request.url ?? '', headers: request.headers, body, at: Date.now() };
        inbox.received.push(received);
        inbox.answer(response, received, inbox.received.length);
      });
    });
    const inbox = new Inbox(server, answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return inbox;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** The delivery ids that arrived, in order. */
  get ids(): string[] {
    return this.received.map(({ headers }) => String(headers['webhook-id']));
  }

  /** `data` of each event that arrived, in order. */
  get data(): unknown[] {
    return this.received.map(({ body }) => JSON.parse(body).data);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Returns an answer with a status, headers and a body. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (response) => response.writeHead(code, headers).end(body);
}
