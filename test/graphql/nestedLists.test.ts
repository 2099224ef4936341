import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
const connections: string[] = [];

beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  const { client } = switchboard;
  for (let made = 0; made < 4; made += 1) connections.push(await createWebhookConnection(client));
  // The last connection has no subscription, and so no deliveries.
  for (const connection of connections.slice(0, 3)) await subscribe(client, connection);
  const events = Array.from({ length: 60 }, (_, index) => ({ eventType: 'parcels.event.created', data: parcelEvent(index) }));
  await client.query('mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { userErrors { message } } }', {
    input: { events },
  });
  await switchboard.sql(`update deliveries set status = 'failed' where connection_id = ?`, [connections[1]]);
});
afterAll(() => switchboard.close());

const PAGE = `fragment Page on DeliveryConnection {
  totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { cursor node { id status createdAt connection { id } event { id payload } attempts { number } } }
}`;
const ARGUMENTS = '($first: Int, $last: Int, $after: String, $before: String, $filter: DeliveryFilter)';
const GIVEN = '(first: $first, last: $last, after: $after, before: $before, filter: $filter)';

async function together(variables: object) {
  const query = `query ${ARGUMENTS} { connections(last: 4) { edges { node { id deliveries${GIVEN} { ...Page } } } } } ${PAGE}`;
  const { connections: all } = await switchboard.client.query(query, variables);
  return new Map(all.edges.map(({ node }: { node: { id: string; deliveries: object } }) => [node.id, node.deliveries]));
}

async function alone(id: string, variables: object) {
  const query = `query ${ARGUMENTS.replace('(', '($id: ID!, ')} { connection(id: $id) { deliveries${GIVEN} { ...Page } } } ${PAGE}`;
  return (await switchboard.client.query(query, { id, ...variables })).connection.deliveries;
}

describe('The list that each row of a list has', () => {
  it.each([
    ['as long as by default', {}],
    ['with the newest', { first: 3 }],
    ['with the oldest', { last: 3 }],
    ['with none', { first: 0 }],
    ['with all', { first: 100 }],
    ['with those of a status', { first: 5, filter: { status: 'FAILED' } }],
    ['with those of a type that contains a NUL, which are none', { filter: { eventType: 'a\0b' } }],
    ['with those since a time', { filter: { createdAfter: '2020-01-01T00:00:00Z' } }],
  ])('is the same as when it is asked for alone: %s', async (_case, variables) => {
    const all = await together(variables);
    expect([...all.keys()].sort()).toEqual([...connections].sort());
    for (const id of connections) expect(all.get(id)).toEqual(await alone(id, variables));
  });

  it('goes on after a cursor, and before one', async () => {
    const [first = ''] = connections;
    const { pageInfo } = await alone(first, { first: 10 });
    for (const variables of [
      { first: 7, after: pageInfo.endCursor },
      { last: 7, before: pageInfo.endCursor },
    ]) {
      const all = await together(variables);
      for (const id of connections) expect(all.get(id)).toEqual(await alone(id, variables));
    }
  });

  it('arrives whole, with its length, however large the answer is', async () => {
    const query = `{ connections(last: 4) { edges { node { deliveries(first: 100) { edges { node { id event { payload again: payload } } } } } } } }`;
    const response = await fetch(`${switchboard.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: switchboard.client.authorization },
      body: JSON.stringify({ query }),
    });
    const answer = Buffer.from(await response.arrayBuffer());
    expect(answer.length).toBeGreaterThan(64 * 1024);
    expect(response.headers.get('content-length')).toBe(String(answer.length));
    expect(response.headers.get('content-type')).toContain('json');
    const { data } = JSON.parse(answer.toString('utf8'));
    expect(
      data.connections.edges.flatMap(({ node }: { node: { deliveries: { edges: [] } } }) => node.deliveries.edges),
    ).toHaveLength(180);
  });

  it('costs something also without rows, because it can be counted', async () => {
    const counts = Array.from({ length: 30 }, (_, index) => `a${index}: deliveries(first: 0) { totalCount }`).join(' ');
    const { errors } = await switchboard.client.send(`{ connections(first: 100) { edges { node { ${counts} } } } }`);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('could hold') }]);
  });

  it('tells each row what is wrong with its arguments', async () => {
    const query = '{ connections(last: 4) { edges { node { deliveries(first: 1, last: 1) { totalCount } } } } }';
    const { errors } = await switchboard.client.send(query);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  it('can be asked for twice, with different arguments', async () => {
    const query = `{ connections(last: 4) { edges { node {
      id one: deliveries(first: 1) { edges { node { id } } } two: deliveries(first: 2) { edges { node { id } } }
    } } } }`;
    const { connections: all } = await switchboard.client.query(query);
    for (const { node } of all.edges) {
      expect(node.one.edges).toEqual(node.two.edges.slice(0, 1));
      expect(node.two.edges).toHaveLength(node.id === connections[3] ? 0 : 2);
    }
  });
});
