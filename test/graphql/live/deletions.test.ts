import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, subscribe, trySubscribe } from '../../support/webhookFlow.js';
import { LiveClient } from './support/LiveClient.js';

const CONNECTIONS = 'subscription ($id: ID) { connectionDeleted(id: $id) { deletedId } }';
const SUBSCRIPTIONS = 'subscription ($id: ID) { subscriptionDeleted(connectionId: $id) { deletedId connectionId } }';
const REMOVE = {
  connection: 'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }',
  subscription: 'mutation ($id: ID!) { deleteSubscription(input: { id: $id }) { deletedId } }',
};

let switchboard: TestSwitchboard;
let elsewhere: TestSwitchboard;
const open: LiveClient[] = [];
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  elsewhere = await startSwitchboard({ ROLE: 'api' }, switchboard.testDatabase);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  await elsewhere.close();
  await switchboard.close();
});

function live(authorization: string): LiveClient {
  const opened = new LiveClient(`${switchboard.publicUrl}/graphql`, { Authorization: authorization });
  open.push(opened);
  return opened;
}

/** Watches an organization. Resolves when the process has registered again, since the watch has begun by then. */
async function watch(client: GraphQLClient, query: string, id?: string, authorization = client.authorization) {
  const said = async (): Promise<number> => {
    const until = 'select extract(epoch from expires_at)::float8 as until from live_watchers where organization_id = ?';
    return (await switchboard.sql(until, [client.keys.organizationId]))[0]?.until ?? 0;
  };
  const before = await said();
  const { seen } = live(authorization).watch(query, { id });
  await eventually(async () => expect(await said()).toBeGreaterThan(before));
  return { seen };
}

/** Deletes in another process than the watching one. */
async function remove(client: GraphQLClient, what: keyof typeof REMOVE, id: string): Promise<void> {
  const response = await fetch(`${elsewhere.publicUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: client.authorization },
    body: JSON.stringify({ query: REMOVE[what], variables: { id } }),
  });
  const field = what === 'connection' ? 'deleteConnection' : 'deleteSubscription';
  expect(await response.json()).toEqual({ data: { [field]: { deletedId: id } } });
}

const goneConnection = (deletedId: string) => ({ data: { connectionDeleted: { deletedId } } });
const goneSubscription = (connectionId: string, deletedId: string) => ({
  data: { subscriptionDeleted: { deletedId, connectionId } },
});

describe('A client that watches is notified that', () => {
  it('a connection was deleted, with its subscriptions, by whichever process', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client);
    const subscriptions = [await subscribe(client, id)];
    const more = await trySubscribe(client, { connectionId: id, eventType: 'connections.disabled' });
    subscriptions.push(more.subscription.id);
    const connections = await watch(client, CONNECTIONS);
    const below = await watch(client, SUBSCRIPTIONS);
    await remove(client, 'connection', id);
    await eventually(() => {
      expect(connections.seen).toEqual([goneConnection(id)]);
      expect(below.seen).toEqual(subscriptions.map((subscription) => goneSubscription(id, subscription)));
    });
  });

  it('a subscription was deleted, and its connection was not', async () => {
    const client = await switchboard.anotherOrganization();
    const [id, last] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const subscription = await subscribe(client, id);
    const connections = await watch(client, CONNECTIONS);
    const subscriptions = await watch(client, SUBSCRIPTIONS);
    await remove(client, 'subscription', subscription);
    await eventually(() => expect(subscriptions.seen).toEqual([goneSubscription(id, subscription)]));
    // Updates arrive in order, so the previous one would have come first.
    await remove(client, 'connection', last);
    await eventually(() => expect(connections.seen).toEqual([goneConnection(last)]));
  });

  it('one connection was deleted, when it watches only that one', async () => {
    const client = await switchboard.anotherOrganization();
    const [one, other] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const [ofOne, ofOther] = [await subscribe(client, one), await subscribe(client, other)];
    expect(ofOther).not.toBe(ofOne);
    const connections = await watch(client, CONNECTIONS, one);
    const subscriptions = await watch(client, SUBSCRIPTIONS, one);
    await remove(client, 'connection', other);
    await remove(client, 'connection', one);
    await eventually(() => {
      expect(connections.seen).toEqual([goneConnection(one)]);
      expect(subscriptions.seen).toEqual([goneSubscription(one, ofOne)]);
    });
  });
});

describe('Of deletions,', () => {
  it("another organization's are visible to nobody", async () => {
    const [mine, theirs] = [await switchboard.anotherOrganization(), await switchboard.anotherOrganization()];
    const [own, foreign] = [await createWebhookConnection(mine), await createWebhookConnection(theirs)];
    const [me, them] = [await watch(mine, CONNECTIONS), await watch(theirs, CONNECTIONS)];
    await remove(theirs, 'connection', foreign);
    await remove(mine, 'connection', own);
    await eventually(() => {
      expect(me.seen).toEqual([goneConnection(own)]);
      expect(them.seen).toEqual([goneConnection(foreign)]);
    });
  });

  it('a session of one connection sees those of that connection only', async () => {
    const client = await switchboard.anotherOrganization();
    const [own, beside] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const [ofOwn, ofBeside] = [await subscribe(client, own), await subscribe(client, beside)];
    const session = await makeSession(client, { permissions: ['VIEW'], connectionId: own });
    const connections = await watch(client, CONNECTIONS, undefined, session.authorization);
    const subscriptions = await watch(client, SUBSCRIPTIONS, undefined, session.authorization);
    await remove(client, 'subscription', ofBeside);
    await remove(client, 'connection', beside);
    await remove(client, 'subscription', ofOwn);
    await eventually(() => expect(subscriptions.seen).toEqual([goneSubscription(own, ofOwn)]));
    expect(connections.seen).toEqual([]);
  });

  it('a session of the organization sees all', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await createWebhookConnection(client);
    const { authorization } = await makeSession(client, { permissions: ['VIEW'] });
    const { seen } = await watch(client, CONNECTIONS, undefined, authorization);
    await remove(client, 'connection', id);
    await eventually(() => expect(seen).toEqual([goneConnection(id)]));
  });

  it('none is sent when the transaction was rolled back', async () => {
    const client = await switchboard.anotherOrganization();
    const [kept, gone] = [await createWebhookConnection(client), await createWebhookConnection(client)];
    const { seen } = await watch(client, CONNECTIONS);
    const attempt = switchboard.database.transaction(async (em) => {
      await em.getConnection().execute('delete from connections where id = ?', [kept], 'run', em.getTransactionContext());
      throw new Error('taken back');
    });
    await expect(attempt).rejects.toThrow('taken back');
    await remove(client, 'connection', gone);
    await eventually(() => expect(seen).toEqual([goneConnection(gone)]));
  });
});
