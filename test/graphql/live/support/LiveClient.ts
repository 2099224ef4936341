import { type Client, createClient } from 'graphql-ws';
import type { GraphQLClient } from '../../../support/GraphQLClient.js';

/** A frontend that watches with the package graphql-ws. */
export class LiveClient {
  /** Close codes of the server. */
  readonly closes: number[] = [];
  readonly #client: Client;

  constructor(httpUrl: string, connectionParams: Record<string, unknown>, options: { retryAttempts?: number } = {}) {
    this.#client = createClient({
      url: httpUrl.replace(/^http/, 'ws'),
      connectionParams,
      retryAttempts: options.retryAttempts ?? 0,
      retryWait: async () => {},
      on: { closed: (event) => this.closes.push((event as { code: number }).code) },
    });
  }

  static of(client: GraphQLClient, options: { retryAttempts?: number } = {}): LiveClient {
    return new LiveClient(client.url, { Authorization: client.authorization }, options);
  }

  /** Collects the results of an operation until it ends. */
  watch(query: string, variables: Record<string, unknown> = {}): Watched {
    // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
    const seen: any[] = [];
    let stop = (): void => {};
    const ended = new Promise<unknown>((resolve) => {
      stop = this.#client.subscribe(
        { query, variables },
        { next: (result) => void seen.push(result), error: (failure) => resolve(failure), complete: () => resolve('complete') },
      );
    });
    return { seen, ended, stop };
  }

  async close(): Promise<void> {
    await this.#client.dispose();
  }
}

export interface Watched {
  /** The results in order: `{ data }` or `{ errors }`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  readonly seen: any[];
  /** The end: 'complete', GraphQL errors, or the event of a closed socket. */
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
}
