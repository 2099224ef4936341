export interface Target {
  /** The server's origin. */
  readonly origin: string;
  /** The `Authorization` header of a key with all scopes of its organization. */
  readonly all: string;
  /** The `Authorization` header of a key that may only read. */
  readonly reading: string;
}

/** A request, or an operation over a websocket. */
type Call =
  | readonly [path: string, init: RequestInit]
  | readonly [authorization: string, operation: { readonly query: string; readonly variables?: object }];
interface Attack {
  readonly what: string;
  /** Clients that call again as soon as they get a response. */
  readonly clients: number;
  /** Returns the calls, which are made in turn. */
  readonly calls: (target: Target) => readonly Call[];
}

const graphql = (authorization: string | null, body: string): Call => [
  '/graphql',
  {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
    body,
  },
];
const ask = (authorization: string | null, query: string, variables: object = {}): Call =>
  graphql(authorization, JSON.stringify({ query, variables }));

const watch = (authorization: string, query: string, variables: object): Call => [authorization, { query, variables }];

const CONNECT = 'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { userErrors { code } } }';
const scopes = (count: number) =>
  `{"query":${JSON.stringify(CONNECT)},"variables":{"input":{"type":"KLAVIYO","klaviyo":{"scopes":[${'"",'.repeat(count - 1)}""]}}}}`;
const MAKE_KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { userErrors { code } } }';
const SEVERAL = 'mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { userErrors { code } } }';
const nested = (page: string) =>
  `query ($n: Int) { connections(${page}: $n) { edges { node { id deliveries(${page}: $n) { edges { node { id event { payload } attempts { responseBody } } } } } } } }`;
const introspection = (field: string) => `__schema { types { name description fields { name description } ${field} } }`;

/** Attacks by one caller that all others noticed before there were limits. Each goes on as long as the server allows. */
export const attacks: readonly Attack[] = [
  {
    what: 'createConnection with 200,000 empty scopes',
    clients: 4,
    calls: ({ all }) => [graphql(all, scopes(200_000))],
  },
  {
    what: 'createConnection with 2.7 million empty scopes',
    clients: 2,
    calls: ({ all }) => [graphql(all, scopes(2_700_000))],
  },
  {
    what: 'too many headers, scopes of a key, events, and unknown fields by REST',
    clients: 4,
    calls: ({ all }) => [
      ask(all, CONNECT, { input: { type: 'WEBHOOK', webhook: { extraHeaders: Array(19_000).fill({ name: '', value: '' }) } } }),
      ask(all, MAKE_KEY, { input: { scopes: Array(19_000).fill('READ') } }),
      ask(all, SEVERAL, { input: { events: Array(2_000).fill({ eventType: '', data: {} }) } }),
      [
        '/api/v3/event-subscriptions/connections',
        {
          method: 'POST',
          headers: { authorization: all, 'content-type': 'application/json' },
          body: JSON.stringify(Object.fromEntries(Array.from({ length: 15_000 }, (_, index) => [`field${index}`, 1]))),
        },
      ],
    ],
  },
  {
    what: 'lists within lists, as long as variables say',
    clients: 8,
    calls: ({ all }) => [ask(all, nested('first'), { n: 100 }), ask(all, nested('last'), { n: 100 })],
  },
  {
    what: 'the largest lists within lists that are let through',
    clients: 8,
    calls: ({ all }) => [ask(all, nested('first'), { n: null }), ask(all, nested('last'), { n: 30 })],
  },
  {
    what: 'the same over a websocket',
    clients: 8,
    calls: ({ all }) => [{ n: 100 }, { n: 30 }, { n: null }].map((variables) => watch(all, nested('first'), variables)),
  },
  {
    what: 'fields by a name of 1 MB',
    clients: 4,
    calls: ({ all }) => [ask(all, `{ connections(first: 100) { edges { node { ${'a'.repeat(1_000_000)}: id } } } }`)],
  },
  {
    what: 'introspection without credentials, with aliases and without',
    clients: 8,
    calls: () => [
      ask(null, `{ ${Array.from({ length: 28 }, (_, index) => `a${index}: ${introspection('kind')}`).join(' ')} }`),
      ask(null, `{ ${introspection('kind')} }`),
    ],
  },
  {
    what: 'introspection with credentials',
    clients: 8,
    calls: ({ all }) => [ask(all, `{ ${introspection('kind')} }`)],
  },
  { what: '/metrics', clients: 30, calls: () => [['/metrics', {}]] },
  {
    what: 'log-ins with whatever is forwarded',
    clients: 16,
    calls: () =>
      Array.from({ length: 1_000 }, (_, index): Call => {
        const forwarded = [`text ${index}`, `${index}${'x'.repeat(6_000)}`, `2001:db8::${index}:1`, `192.0.2.${index % 256}`];
        const headers = { authorization: `Bearer nonsense${index}`, 'x-forwarded-for': forwarded[index % 4] as string };
        return ['/api/v3/event-subscriptions/connections', { headers }];
      }),
  },
  {
    what: 'mutations that are forbidden',
    clients: 8,
    calls: ({ reading }) => [ask(reading, 'mutation { deleteConnection(input: { id: "1" }) { deletedId } }')],
  },
  {
    what: 'JSON that nests 4,400 deep, and a text of 2 MB in place of an object',
    clients: 4,
    calls: ({ all }) => [
      graphql(all, `{"query":${JSON.stringify(CONNECT)},"variables":{"input":${'['.repeat(4_400)}${']'.repeat(4_400)}}}`),
      ask(all, CONNECT, { input: 'x'.repeat(2_000_000) }),
    ],
  },
  {
    what: 'access tokens',
    clients: 8,
    calls: ({ all }) => [
      [
        '/oauth2/token',
        {
          method: 'POST',
          headers: { authorization: all, 'content-type': 'application/x-www-form-urlencoded' },
          body: 'grant_type=client_credentials',
        },
      ],
    ],
  },
];
