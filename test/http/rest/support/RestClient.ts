export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  readonly body: any;
}

/** A REST client. Strings are sent as they are, all other bodies as JSON. */
export class RestClient {
  constructor(
    readonly origin: string,
    readonly authorization: string,
  ) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<RestAnswer> {
    const response = await fetch(`${this.origin}/api/v3/event-subscriptions${path}`, {
      method,
      headers: {
        authorization: this.authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  }

  get(path: string, headers?: Record<string, string>): Promise<RestAnswer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown): Promise<RestAnswer> {
    return this.send('POST', path, body);
  }

  patch(path: string, body?: unknown): Promise<RestAnswer> {
    return this.send('PATCH', path, body);
  }

  delete(path: string): Promise<RestAnswer> {
    return this.send('DELETE', path);
  }
}
