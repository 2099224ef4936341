import { buildSchema, type GraphQLObjectType, getNamedType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../src/access/apiKeys.js';
import { connectionTypes } from '../../src/compose.js';
import type { ApiKeyScope } from '../../src/domain/ApiKey.js';
import { fieldScopes } from '../../src/graphql/fieldScopes.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ RATE_LIMIT_PER_MINUTE: '30', ROLE: 'api' });
});
afterAll(() => switchboard.close());

/** Creates another key of a client's organization. */
async function keyOf(owner: GraphQLClient, ...scopes: ApiKeyScope[]): Promise<GraphQLClient> {
  const organizationId = owner.keys.organizationId as number;
  const keys = await switchboard.database.transaction((em) => addApiKey({ em }, { organizationId, scopes }));
  return new GraphQLClient(owner.url, { ...keys, organizationId });
}

const RETRY = (selection: string) =>
  `mutation ($id: ID!) { retryDelivery(input: { deliveryId: $id }) { delivery { ${selection} } userErrors { code } } }`;
const DELETE = 'mutation { deleteConnection(input: { id: "1" }) { deletedId } }';

async function failedDelivery(owner: GraphQLClient): Promise<string> {
  await subscribe(owner, await createWebhookConnection(owner));
  const eventId = await publish(owner);
  const [{ id }] = await seeDeliveries(owner, { eventId });
  await switchboard.sql("update deliveries set status = 'failed' where id = ?", [id]);
  return id;
}
const statusOf = async (id: string) => (await switchboard.sql('select status from deliveries where id = ?', [id]))[0].status;

describe('A mutation returns the object that it changed; related objects need "read":', () => {
  it.each([
    'event { payload }',
    'event { id }',
    'attempts { responseBody }',
    'connection { id }',
    'subscription { connection { deliveries { totalCount } } }',
    '...F',
  ])('of a delivery: %s', async (selection) => {
    const owner = await switchboard.anotherOrganization();
    const id = await failedDelivery(owner);
    const manager = await keyOf(owner, 'manage', 'publish', 'admin');
    const fragments = 'fragment F on Delivery { ...G } fragment G on Delivery { event { payload } }';
    const query = `${RETRY(selection)} ${selection === '...F' ? fragments : ''}`;
    expect(await manager.send(query, { id })).toMatchObject({
      ...{ status: 403, data: undefined },
      errors: [{ message: expect.stringContaining('"read"'), extensions: { code: 'FORBIDDEN' } }],
    });
    expect(await statusOf(id)).toBe('failed');
    expect((await manager.query(RETRY('id status attemptCount'), { id })).retryDelivery.delivery).toMatchObject({ id });
    const reader = await keyOf(owner, 'manage', 'read');
    expect(await reader.send(query, { id })).toMatchObject({ status: 200, errors: undefined });
  });

  it('for every mutation', async () => {
    const owner = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(owner);
    const writer = await keyOf(owner, 'manage', 'publish');
    const update = (selection: string) => `mutation { updateConnection(input: { id: "${id}" }) { connection { ${selection} } } }`;
    expect((await writer.query(update('id name status configuration { __typename }'))).updateConnection.connection.id).toBe(id);
    for (const beyond of ['deliveries { totalCount }', 'subscriptions { totalCount }']) {
      expect(await writer.send(update(beyond))).toMatchObject({ status: 403 });
    }
    const publishing = (selection: string) =>
      `mutation ($data: JSONObject!) { publishEvent(input: { eventType: "parcels.event.created", data: $data }) { event { ${selection} } userErrors { code } } }`;
    const beyondEvent = await writer.send(publishing('deliveries { totalCount }'), { data: {} });
    expect(beyondEvent).toMatchObject({ status: 403 });
    expect(await writer.send(publishing('id payload'), { data: {} })).toMatchObject({ status: 200 });
  });

  it('a subscription to live updates needs it, as every query does', async () => {
    const owner = await switchboard.anotherOrganization();
    const writer = await keyOf(owner, 'manage', 'publish', 'admin');
    const live = LiveClient.of(writer);
    for (const watch of ['connectionUpdated { id }', 'deliveryUpdated { event { payload } }']) {
      expect(await live.watch(`subscription { ${watch} }`).ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
    expect(await live.watch(RETRY('event { payload }'), { id: '1' }).ended).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    await live.close();
  });

  it('Every root field, and every field that leads from one object to another, has a scope', async () => {
    const schema = buildSchema(await (await fetch(`${switchboard.publicUrl}/schema.graphql`)).text());
    const roots = ['Query', 'Mutation', 'Live'];
    const things = [
      'Connection',
      'Subscription',
      'Event',
      'Delivery',
      'Attempt',
      'Replay',
      'Organization',
      'ApiKey',
      'Session',
      'Caller',
      'KlaviyoConfiguration',
      'KlaviyoQuota',
    ];
    const lists = things.map((name) => `${name}Connection`);
    const needed = [...roots, ...things].flatMap((name) =>
      Object.values((schema.getType(name) as GraphQLObjectType).getFields())
        .filter(({ type }) => roots.includes(name) || [...things, ...lists].includes(getNamedType(type).name))
        .map((field) => `${name}.${field.name}`),
    );
    const all = [fieldScopes, ...connectionTypes.map(({ graphql }) => graphql.fieldScopes ?? {})];
    expect(all.flatMap((scopes) => Object.keys(scopes)).sort()).toEqual(needed.sort());
  });
});

describe('A forbidden call does not count as a write', () => {
  it('on any transport', async () => {
    const owner = await switchboard.anotherOrganization();
    const reader = await keyOf(owner, 'read');
    const publisher = await keyOf(owner, 'publish');
    const live = LiveClient.of(reader);
    const rest = new RestClient(switchboard.publicUrl, reader.authorization);
    for (let index = 0; index < 9; index += 1) {
      expect(await reader.send(DELETE)).toMatchObject({ status: 403 });
      expect(await rest.delete('/connections/1')).toMatchObject({ status: 403 });
      expect(await live.watch(DELETE).ended).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
    await live.close();
    const issue = () =>
      fetch(`${switchboard.publicUrl}/oauth2/token`, {
        ...{ method: 'POST', headers: { authorization: reader.authorization } },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    for (let index = 0; index < 9; index += 1) await issue();
    const { headers, status } = await publisher.send(
      'mutation { publishEvent(input: { eventType: "parcels.event.created", data: {} }) { userErrors { code } } }',
    );
    expect([status, headers.get('ratelimit-remaining')]).toEqual([200, '29']);
  });
});
