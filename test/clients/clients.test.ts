import { gql } from '@apollo/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWebhook, updateConnection } from '../connections/support/connectionCalls.js';
import { eventually } from '../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createFrontend, type Frontend } from './snippets.js';

let switchboard: TestSwitchboard;
let frontend: Frontend;
let authorization: string;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  frontend = await createFrontend(switchboard.publicUrl);
  authorization = switchboard.client.authorization;
  for (const name of ['First', 'Second']) await createSubscribed(name);
});
afterAll(async () => {
  await frontend.remove();
  await switchboard.close();
});

afterEach(() => vi.restoreAllMocks());

/** Creates a webhook connection with a subscription. */
async function createSubscribed(name: string): Promise<string> {
  const { id } = await createWebhook(switchboard.client, {}, name);
  const { createSubscription } = await switchboard.client.query(
    'mutation ($id: ID!) { createSubscription(input: { connectionId: $id, eventType: "parcels.event.created" }) { userErrors { message } } }',
    { id },
  );
  expect(createSubscription.userErrors).toEqual([]);
  return id;
}

const PAGE = `query Page($after: String) {
  connections(first: 1, after: $after) {
    edges { node { id name configuration { ... on WebhookConfiguration { url } }
      subscriptions(first: 5) { edges { node { id eventType isActive } } } } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const CREATE = `mutation Create {
  createConnection(input: { configuration: { webhook: { url: "ftp://example.com" } } }) {
    connection { id } userErrors { code path }
  }
}`;
const LIVE =
  'subscription Watch($id: ID!) { connectionUpdated(id: $id) { id name subscriptions(first: 1) { edges { node { id isActive } } } } }';
const REFUSED = [{ code: 'INVALID', path: ['configuration', 'webhook', 'url'] }];
const tooMany = '{ connections(first: 1000) { totalCount } }';

/** Renames a connection until a watch has received an update, since a watch begins a moment after its request. */
async function renameUntil(id: string, seen: () => unknown): Promise<void> {
  await eventually(async () => {
    await updateConnection(switchboard.client, { id, name: `Renamed ${Date.now()}` });
    expect(seen()).toMatch(/^Renamed/);
  });
}

describe('Apollo Client', () => {
  it('queries, pages, mutates, fails and watches, and keeps subscriptions apart', async () => {
    const { createApollo } = await frontend.load('src/apollo.ts');
    const client = createApollo(authorization);
    const first = await client.query({ query: gql(PAGE) });
    const { endCursor, hasNextPage } = first.data.connections.pageInfo;
    expect(hasNextPage).toBe(true);
    const second = await client.query({ query: gql(PAGE), variables: { after: endCursor } });
    const nodes = [first, second].map(({ data }) => data.connections.edges[0].node);
    expect(nodes.map(({ name }) => name)).toEqual(['Second', 'First']);
    const subscriptions = nodes.map((node) => node.subscriptions.edges[0].node);
    expect(subscriptions).toMatchObject([{ __typename: 'Subscription' }, { __typename: 'Subscription' }]);
    for (const { id } of subscriptions) {
      expect(client.cache.extract()[`Subscription:${id}`]).toMatchObject({ id, isActive: true });
    }
    const { data } = await client.mutate({ mutation: gql(CREATE) });
    expect(data.createConnection.userErrors).toMatchObject(REFUSED);
    await expect(client.query({ query: gql(tooMany) })).rejects.toMatchObject({
      errors: [{ extensions: { code: expect.stringMatching(/INPUT/) } }],
    });
    let watched: string | undefined;
    const watch = client
      .subscribe({ query: gql(LIVE), variables: { id: nodes[0].id } })
      // biome-ignore lint/suspicious/noExplicitAny: what was asked for
      .subscribe(({ data: seen }: any) => {
        watched = seen.connectionUpdated.name;
      });
    await renameUntil(nodes[0].id, () => watched);
    expect(client.cache.extract()[`Connection:${nodes[0].id}`].name).toMatch(/^Renamed/);
    watch.unsubscribe();
    client.stop();
  });
});

describe('urql with Graphcache', () => {
  beforeEach(() => {
    vi.spyOn(console, 'warn');
    vi.spyOn(console, 'error');
  });

  it('queries by GET, pages, mutates, fails and watches, without a warning', async () => {
    const requests = vi.spyOn(globalThis, 'fetch');
    const { createUrql } = await frontend.load('src/urql.ts');
    const client = createUrql(authorization);
    const first = await client.query(PAGE, {}).toPromise();
    expect(first.error).toBeUndefined();
    expect(String(requests.mock.calls.at(-1)?.[0])).toContain('/graphql?');
    const { endCursor } = first.data.connections.pageInfo;
    const second = await client.query(PAGE, { after: endCursor }).toPromise();
    const nodes = [first, second].map(({ data }) => data.connections.edges[0].node);
    const ids = nodes.map((node) => node.subscriptions.edges[0].node.id);
    expect(new Set(ids).size).toBe(2);
    // The cache still contains both.
    const again = await client.query(PAGE, {}, { requestPolicy: 'cache-only' }).toPromise();
    expect(again.data.connections.edges[0].node.subscriptions.edges[0].node.id).toBe(ids[0]);

    const changed = await client.mutation(CREATE, {}).toPromise();
    expect(changed.data.createConnection.userErrors).toMatchObject(REFUSED);
    const failed = await client.query(tooMany, {}).toPromise();
    expect(failed.error.graphQLErrors[0].extensions.code).toMatch(/INPUT/);

    let watched: string | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: what was asked for
    const watch = client.subscription(LIVE, { id: nodes[0].id }).subscribe(({ data }: any) => {
      watched = data?.connectionUpdated.name;
    });
    await renameUntil(nodes[0].id, () => watched);
    watch.unsubscribe();
    expect(console.warn).not.toHaveBeenCalled();
    expect(console.error).not.toHaveBeenCalled();
  });
});

describe('graphql-request', () => {
  it('queries, pages, mutates and fails', async () => {
    const { createRequest, codeOf } = await frontend.load('src/request.ts');
    const client = createRequest(authorization);
    const first = await client.request(PAGE);
    const second = await client.request(PAGE, { after: first.connections.pageInfo.endCursor });
    expect(second.connections).toMatchObject({ edges: [{ node: { name: 'First' } }], pageInfo: { hasNextPage: false } });
    expect((await client.request(CREATE)).createConnection.userErrors).toEqual(REFUSED);
    const refused = await createRequest('Bearer at_wrong').request(PAGE).catch(codeOf);
    expect(refused).toBe('UNAUTHENTICATED');
    expect(await client.request(tooMany).catch(codeOf)).toMatch(/INPUT/);
  });
});

describe('openid-client', () => {
  it('gets a token with its default settings', async () => {
    const { fetchToken } = await frontend.load('src/token.ts');
    const { publicKey, secretKey } = switchboard.client.keys;
    const bearer = await fetchToken(publicKey, secretKey);
    const answer = await switchboard.client.send('{ organization { name } }', {}, { authorization: bearer });
    expect(answer.data).toEqual({ organization: { name: 'Acme' } });
    await expect(fetchToken(publicKey, 'wrong')).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
  });
});

describe('Caches that do not know the name of the subscription root', () => {
  it('Graphcache cannot read a response that contains a Subscription', async () => {
    const text = await frontend.read('src/urql.ts');
    await frontend.write('src/untoldUrql.ts', text.replace('schema: { __schema: roots },', ''));
    const { createUrql } = await frontend.load('src/untoldUrql.ts');
    const warnings = vi.spyOn(console, 'warn').mockReturnValue();
    expect(await createUrql(authorization).query(PAGE, {}).toPromise()).toMatchObject({ data: null });
    expect(warnings.mock.calls.join()).toContain('Invalid root traversal');
  });

  it('Apollo reads it like any other type', async () => {
    const text = await frontend.read('src/apollo.ts');
    await frontend.write('src/untoldApollo.ts', text.replace('typePolicies: { Live: { subscriptionType: true } },', ''));
    const { createApollo } = await frontend.load('src/untoldApollo.ts');
    const client = createApollo(authorization);
    const { data } = await client.query({ query: gql(PAGE) });
    const { id } = data.connections.edges[0].node.subscriptions.edges[0].node;
    expect(client.cache.extract()).toMatchObject({ [`Subscription:${id}`]: { __typename: 'Subscription', id } });
  });
});

describe('Compilers', () => {
  it('codegen.ts, relay-compiler and openapi-typescript generate code that compiles and works', async () => {
    await frontend.write(
      'src/Page.ts',
      `import { graphql } from 'relay-runtime';\nexport const Page = graphql\`\n${PAGE.replace('Page(', 'PageQuery(')}\`;\n`,
    );
    await frontend.write('schema.graphql', await (await fetch(`${switchboard.publicUrl}/schema.graphql`)).text());
    await frontend.run('relay-compiler/cli.js', []);
    // Relay's documents are not for the other compiler.
    await frontend.run('@graphql-codegen/cli/esm/bin.js', ['--config', 'codegen.ts']);
    const OPENAPI = new URL('./openapi/', import.meta.url).pathname;
    await frontend.run(
      'openapi-typescript/bin/cli.js',
      [`${switchboard.publicUrl}/openapi.json`, '-o', 'src/openapi.ts'],
      OPENAPI,
    );
    const compilerOptions = {
      ...{ strict: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: true, types: [] },
      ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom', 'dom.iterable'] },
    };
    const files = ['connect', 'apollo', 'urql', 'request', 'relay', 'token', 'rest'].map((name) => `src/${name}.ts`);
    await frontend.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    await frontend.run('typescript/bin/tsc', []);
    await frontend.run('typescript/bin/tsc', [], OPENAPI);

    const [warnings, errors] = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'error')];
    const { fetchQuery } = await import('relay-runtime');
    const { createRelay } = await frontend.load('src/relay.ts');
    const { default: query } = await frontend.load('src/__generated__/PageQuery.graphql.ts');
    const environment = createRelay(authorization);
    // biome-ignore lint/suspicious/noExplicitAny: what was asked for
    const page: any = await fetchQuery(environment, query, {}).toPromise();
    expect(page.connections.edges[0].node.subscriptions.edges).toHaveLength(1);
    expect([...warnings.mock.calls, ...errors.mock.calls]).toEqual([]);
    const { listConnections } = await frontend.load('src/rest.ts');
    expect((await listConnections(authorization)).data).toBeInstanceOf(Array);
  }, 120_000);
});

it("The example of codegen.ts is the repository's own file", async () => {
  const { readFile } = await import('node:fs/promises');
  const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
  expect(await read('docs/clients.md')).toContain(`\`\`\`ts codegen.ts\n${await read('codegen.ts')}\`\`\``);
});
