import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createConnection, createWebhook } from './support/connectionCalls.js';

let switchboard: TestSwitchboard;
let client: GraphQLClient;
/** Newest first. */
const ids: string[] = [];
beforeAll(async () => {
  switchboard = await startSwitchboard();
  client = switchboard.client;
  const stranger = await switchboard.anotherOrganization();
  for (let index = 0; index < 23; index += 1) {
    const { id } =
      index % 3 === 0 ? (await createConnection(client, { type: 'KLAVIYO' })).connection : await createWebhook(client);
    ids.unshift(id);
    if (index % 5 === 0) await createWebhook(stranger);
  }
});
afterAll(() => switchboard.close());

interface Listing {
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  totalCount: number;
}
const LIST = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: ConnectionFilter) {
  connections(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
  }
}`;
const list = async (variables: object = {}): Promise<Listing> => (await client.query(LIST, variables)).connections;
const idsOf = ({ edges }: Listing): string[] => edges.map(({ node }) => node.id);

describe('connections (GraphQL Cursor Connections Specification, section 4)', () => {
  it('returns twenty by default, newest first, of the own organization only', async () => {
    const page = await list();
    expect(idsOf(page)).toEqual(ids.slice(0, 20));
    expect(page.totalCount).toBe(23);
    expect(page.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: page.edges[0]?.cursor,
      endCursor: page.edges[19]?.cursor,
    });
  });

  it('continues after a cursor until there are no more', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 10; pages += 1) {
      const page: Listing = await list({ first: 7, after });
      seen.push(...idsOf(page));
      expect(page.totalCount).toBe(23);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(ids);
  });

  it('goes back before a cursor: returns the last ones before it, still newest first', async () => {
    const { edges } = await list();
    const page = await list({ last: 3, before: edges[10]?.cursor });
    expect(idsOf(page)).toEqual(ids.slice(7, 10));
    expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    expect(await list({ last: 5, before: edges[2]?.cursor })).toMatchObject({
      edges: [{ node: { id: ids[0] } }, { node: { id: ids[1] } }],
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    expect(idsOf(await list({ last: 2 }))).toEqual(ids.slice(-2));
  });

  it('returns those between two cursors', async () => {
    const { edges } = await list();
    const between = { after: edges[2]?.cursor, before: edges[6]?.cursor };
    expect(idsOf(await list(between))).toEqual(ids.slice(3, 6));
    expect(idsOf(await list({ ...between, first: 2 }))).toEqual(ids.slice(3, 5));
    expect(idsOf(await list({ ...between, last: 2 }))).toEqual(ids.slice(4, 6));
  });

  it('returns none for first: 0, with the total count', async () => {
    expect(await list({ first: 0 })).toEqual({
      edges: [],
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
      totalCount: 23,
    });
  });

  it('keeps its pages when a cursor’s row is deleted or newer rows are added', async () => {
    const { edges } = await list({ first: 3 });
    const extra = await createWebhook(client);
    await client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: extra.id });
    expect(idsOf(await list({ first: 2, after: edges[2]?.cursor }))).toEqual(ids.slice(3, 5));
  });

  it('filters by type and status, and counts accordingly', async () => {
    const klaviyo = await list({ first: 100, filter: { type: 'KLAVIYO' } });
    expect(idsOf(klaviyo)).toHaveLength(8);
    expect(klaviyo.totalCount).toBe(8);
    expect(await list({ filter: { type: 'WEBHOOK', status: 'ACTIVE' } })).toMatchObject({ totalCount: 15 });
    expect(await list({ filter: { type: 'KLAVIYO', status: 'ACTIVE' } })).toMatchObject({ totalCount: 0, edges: [] });
    expect(await list({ filter: { type: null, status: null } })).toMatchObject({ totalCount: 23 });
    expect(await list({ filter: {} })).toMatchObject({ totalCount: 23 });
    expect(await list({ first: 2, filter: { type: 'KLAVIYO' }, after: klaviyo.edges[0]?.cursor })).toMatchObject({
      edges: klaviyo.edges.slice(1, 3),
    });
  });

  const cursorOf = (text: string) => Buffer.from(text).toString('base64url');
  it.each<[string, object, string]>([
    ['more than a hundred', { first: 1_000 }, '"first" must be from 0 to 100.'],
    ['fewer than none', { first: -1 }, '"first" must be from 0 to 100.'],
    ['more than a hundred from the end', { last: 101 }, '"last" must be from 0 to 100.'],
    ['both ends', { first: 1, last: 1 }, 'Give "first" or "last", not both.'],
    ['a cursor of another list', { after: cursorOf('subscriptions:1') }, '"after" is not a cursor of this list.'],
    ['a cursor that is none', { before: 'x' }, '"before" is not a cursor of this list.'],
    ['an empty cursor', { after: '' }, '"after" is not a cursor of this list.'],
    ['a cursor with SQL', { after: cursorOf("connections:1' or 1=1") }, '"after" is not a cursor of this list.'],
    ['a cursor beyond any id', { after: cursorOf('connections:99999999999999999999') }, '"after" is not a cursor of this list.'],
    ['a UUID where numbers are', { after: cursorOf('connections:01890a5d-ac96-774b-bcce-b302099a8057') }, '"after" is not'],
  ])('are refused with 400 for %s', async (_what, variables, message) => {
    const { status, errors } = await client.send(LIST, variables);
    expect(status).toBe(400);
    expect(errors).toMatchObject([{ message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
