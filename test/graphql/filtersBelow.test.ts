import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery, isInputObjectType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let schema: GraphQLSchema;
/** Two objects of each kind, by the name of the filter's field. */
const ids: Record<string, string[]> = { connectionId: [], subscriptionId: [], eventId: [], externalId: [] };

beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  const { client } = switchboard;
  schema = buildClientSchema(await client.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true })));
  for (let made = 0; made < 2; made += 1) {
    const connection = await createWebhookConnection(client);
    ids.connectionId?.push(connection);
    const subscription = await subscribe(client, connection);
    ids.subscriptionId?.push(subscription);
    const name = 'mutation ($input: UpdateSubscriptionInput!) { updateSubscription(input: $input) { userErrors { code } } }';
    await client.query(name, { input: { id: subscription, externalId: `mine ${made}` } });
    ids.externalId?.push(`mine ${made}`);
  }
  // Each event is delivered to both.
  for (let made = 0; made < 2; made += 1) ids.eventId?.push(await publish(client));
});
afterAll(() => switchboard.close());

/** Returns every nested list with a filter, with the filter's fields for ids. */
const places = () =>
  Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => type !== schema.getQueryType())
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap((list) => {
        const filter = list.args.find(({ name }) => name === 'filter')?.type;
        if (!isInputObjectType(filter)) return [];
        const fields = Object.keys(filter.getFields()).filter((name) => name.endsWith('Id'));
        return fields.map((field) => ({ parent: type.name.toLowerCase(), list: list.name, field, filter: filter.name }));
      }),
    );

const nodesOf = (page: { edges: { node: { id: string } }[]; totalCount: number }): string[] => {
  expect(page.totalCount).toBe(page.edges.length);
  return page.edges.map(({ node }) => node.id);
};

describe('The filter of a nested list', () => {
  it('narrows the list within its parent: the result satisfies both', async () => {
    const found = places();
    expect(found.map(({ parent, list, field }) => `${parent}.${list}(${field})`).sort()).toEqual([
      ...['connection.deliveries(connectionId)', 'connection.deliveries(eventId)', 'connection.deliveries(subscriptionId)'],
      ...['connection.subscriptions(connectionId)', 'connection.subscriptions(externalId)'],
      ...['event.deliveries(connectionId)', 'event.deliveries(eventId)', 'event.deliveries(subscriptionId)'],
    ]);
    const rows = 'totalCount edges { node { id } }';
    for (const { parent, list, field, filter } of found) {
      for (const id of ids[`${parent}Id`] as string[]) {
        for (const value of ids[field] as string[]) {
          const both = await switchboard.client.query(
            `query ($id: ID!, $filter: ${filter}!) {
              parent: ${parent}(id: $id) { all: ${list} { ${rows} } narrowed: ${list}(filter: $filter) { ${rows} } }
              everywhere: ${list}(filter: $filter) { ${rows} }
            }`,
            { id, filter: { [field]: value } },
          );
          const [all, everywhere] = [nodesOf(both.parent.all), nodesOf(both.everywhere)];
          expect(all).not.toEqual([]);
          expect(everywhere).not.toEqual([]);
          expect(nodesOf(both.parent.narrowed)).toEqual(all.filter((row) => everywhere.includes(row)));
          if (field === `${parent}Id`) expect(nodesOf(both.parent.narrowed)).toEqual(value === id ? all : []);
        }
      }
    }
  });
});
