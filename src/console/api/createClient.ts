import { createClient as createSocket } from 'graphql-ws';
import { type CombinedError, fetchExchange, mapExchange, subscriptionExchange, Client as UrqlClient } from 'urql';
import { type Credential, headersOf } from '../access/credential.js';
import { createCache } from './cache.js';

/** How the live socket stands: `late` means that updates may have been missed, so that what is shown is read anew. */
export type SocketState = 'open' | 'late' | 'closed';

export interface Client {
  readonly urql: UrqlClient;
  close(): void;
}

interface ClientEvents {
  /** The credential does not work any more; `code` says why. */
  readonly onRefused: (code: string) => void;
  readonly onSocket: (state: SocketState) => void;
}

/** Codes after which a credential does not work again. */
export const REFUSALS: readonly string[] = ['UNAUTHENTICATED', 'SESSION_EXPIRED', 'SESSION_ENDED'];

/** A client of one caller. Another caller gets another client, so that no cache is shared between them. */
export function createClient(credential: Credential, { onRefused, onSocket }: ClientEvents): Client {
  const headers = headersOf(credential);
  const address = new URL('/graphql', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  let hasOpened = false;
  const socket = createSocket({
    url: address.href,
    connectionParams: headers,
    lazy: true,
    retryAttempts: Number.POSITIVE_INFINITY,
    // 4401 and 4403 say that trying again is no use. Everything else passes.
    shouldRetry: (event) => !(event instanceof CloseEvent && [4401, 4403].includes(event.code)),
    on: {
      connected: () => {
        onSocket(hasOpened ? 'late' : 'open');
        hasOpened = true;
      },
      closed: (event) => {
        onSocket('closed');
        if (event instanceof CloseEvent && event.code === 4401) onRefused(event.reason || 'UNAUTHENTICATED');
      },
    },
  });
  const urql = new UrqlClient({
    url: '/graphql',
    preferGetMethod: false,
    fetchOptions: { headers: { ...headers, accept: 'application/graphql-response+json, application/json' } },
    exchanges: [
      createCache(),
      mapExchange({
        onError(error) {
          const code = codeOf(error);
          if (code && REFUSALS.includes(code)) onRefused(code);
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: variables as Record<string, unknown> }, sink),
          }),
        }),
      }),
    ],
  });
  return { urql, close: () => void socket.dispose() };
}

/** Returns the first stable code of an error; undefined when the server could not be reached. */
export function codeOf(error: CombinedError | undefined): string | undefined {
  return error?.graphQLErrors.map(({ extensions }) => extensions.code as string | undefined).find(Boolean);
}
