import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Inbox, status } from '../delivery/support/Inbox.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { decideAuthorization, newAccount } from '../support/decideAuthorization.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, seeConnection } from '../support/klaviyoFlow.js';
import { openCallback, openCallbackOnce } from '../support/openCallback.js';
import { type StandaloneKlaviyo, startKlaviyo } from '../support/startKlaviyo.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import type { TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';

type Server = TestSwitchboard & { readonly ownUrl: string };

let klaviyo: StandaloneKlaviyo;
let staying: Server;
let leaving: Server;
/** Starts two servers on one database. Each test stops one of them. If its close hangs, the test times out. */
beforeEach(async () => {
  klaviyo = await startKlaviyo();
  staying = await startLinkedSwitchboard(klaviyo, { environment: { ROLE: 'api' } });
  leaving = await startLinkedSwitchboard(klaviyo, { shared: staying.testDatabase });
});
afterEach(async () => {
  await staying.close();
  await klaviyo.close();
});

/** Returns a client of the stopping server's organization at another server. */
const at = ({ ownUrl }: Server) => new GraphQLClient(`${ownUrl}/graphql`, leaving.client.keys);

/** Starts a receiver that keeps its requests until it is told to answer them. */
async function slowInbox() {
  const waiting: (() => void)[] = [];
  const inbox = await Inbox.open((response, received, count) => {
    waiting.push(() => status(200)(response, received, count));
  });
  onTestFinished(() => inbox.close());
  return {
    url: inbox.url,
    asked: () => eventually(() => expect(inbox.received.length).toBeGreaterThan(0)),
    answer: () => waiting.splice(0).forEach((respond) => void respond()),
  };
}

describe('A server that stops', () => {
  it('finishes an exchange that is under way: another server shows its outcome', async () => {
    const { callback, connectionId, account } = await decideAuthorization({ client: leaving.client, sandbox: klaviyo });
    klaviyo.klaviyo.resetCounters();
    klaviyo.klaviyo.inject({ kind: 'slow', target: 'token', seconds: 3, count: 1 });
    expect(await openCallbackOnce(callback)).toMatchObject({ status: 202 });
    await leaving.close();
    expect(await seeConnection(at(staying), connectionId)).toMatchObject({
      status: 'ACTIVE',
      authorization: { status: 'COMPLETED' },
    });
    const there = new URL(`${callback.pathname}${callback.search}`, staying.ownUrl);
    expect(await openCallback(there)).toMatchObject({
      status: 200,
      text: expect.stringContaining(`${account.name} is connected`),
    });
    expect(klaviyo.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1 });
  });

  it('finishes running requests, and does not wait for idle connections or silent clients', async () => {
    const { url, asked, answer } = await slowInbox();
    const subscriptionId = await subscribe(leaving.client, await createWebhookConnection(leaving.client, url));
    const agent = new Agent({ keepAlive: true });
    const silent = connect(Number(new URL(leaving.ownUrl).port), '127.0.0.1');
    onTestFinished(() => {
      agent.destroy();
      silent.destroy();
    });
    await once(silent, 'connect');
    const asking = request(leaving.client.url, {
      ...{ agent, method: 'POST' },
      headers: { 'content-type': 'application/json', authorization: leaving.client.authorization },
    });
    asking.end(
      JSON.stringify({
        query: 'mutation ($id: ID!) { broadcastTestEvent(input: { subscriptionId: $id }) { result { success } } }',
        variables: { id: subscriptionId },
      }),
    );
    const answered = once(asking, 'response');
    await asked();
    const closed = leaving.close();
    setTimeout(answer, 500);
    const [response] = await answered;
    expect(JSON.parse(await text(response)).data.broadcastTestEvent.result).toEqual({ success: true });
    expect(response.headers.connection).toBe('close');
    await closed;
  });

  it('closes websockets, and tells their clients to reconnect', async () => {
    const connectionId = await createWebhookConnection(leaving.client);
    const clients = Array.from({ length: 3 }, () => LiveClient.of(leaving.client));
    const watching = clients.map((client) => client.watch('subscription { connectionUpdated { id name } }'));
    let changes = 0;
    await eventually(async () => {
      await leaving.client.query(
        'mutation ($id: ID!, $name: String) { updateConnection(input: { id: $id, name: $name }) { connection { id } } }',
        { id: connectionId, name: `New ${++changes}` },
      );
      for (const { seen } of watching) expect(seen.length).toBeGreaterThan(0);
    });
    await leaving.close();
    for (const { ended } of watching) await ended;
    for (const { closes } of clients) expect(closes).toEqual([1012]);
  });

  it('releases a delivery whose receiver does not respond, so that another server attempts it', async () => {
    const { url, asked, answer } = await slowInbox();
    await subscribe(leaving.client, await createWebhookConnection(leaving.client, url));
    const eventId = await publish(leaving.client);
    await asked();
    await leaving.close();
    const another = await startLinkedSwitchboard(klaviyo, { shared: staying.testDatabase });
    onTestFinished(() => another.close());
    const answering = setInterval(answer, 100);
    await waitForDelivery(at(another), eventId, 'DELIVERED').finally(() => clearInterval(answering));
  });

  it('does not wait for a silent provider, neither in a check of a connection nor in a revocation', async () => {
    const place = { client: leaving.client, sandbox: klaviyo };
    const connectionId = await connectKlaviyo(leaving.client, newAccount(place).id);
    const another = await connectKlaviyo(leaving.client, newAccount(place).id);
    klaviyo.klaviyo.resetCounters();
    klaviyo.klaviyo.inject({ kind: 'hang', target: 'all' });
    const checking = leaving.client
      .query('mutation ($id: ID!) { checkConnection(input: { connectionId: $id }) { userErrors { code } } }', {
        id: connectionId,
      })
      .catch(() => null);
    await leaving.client.query('mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId } }', { id: another });
    await eventually(() => expect(klaviyo.klaviyo.counters.faults).toBeGreaterThanOrEqual(2));
    await leaving.close();
    await checking;
  });
});
