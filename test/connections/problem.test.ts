import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { graphiqlExamples } from '../../src/http/graphiqlExamples.js';
import { eventually } from '../support/eventually.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/** Creates a webhook whose receiver sends the same response to every delivery, and publishes one event to it. */
async function connectionTo(status: number, headers: Record<string, string> = {}) {
  const receiver = createServer((_request, response) => response.writeHead(status, headers).end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  onTestFinished(() => void receiver.close());
  const client = await switchboard.anotherOrganization();
  const id = await createWebhookConnection(client, `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`);
  await subscribe(client, id);
  await publish(client);
  const problem = async () =>
    (await client.query('query ($id: ID!) { connection(id: $id) { status problem } }', { id })).connection.problem;
  const problemCode = async () =>
    (await client.query('query ($id: ID!) { connection(id: $id) { problemCode } }', { id })).connection.problemCode;
  return { client, problem, problemCode };
}

describe('connection { problem }', () => {
  it.each([500, 429])('says since when deliveries fail, when the receiver responds with %i', async (status) => {
    const { problem, problemCode } = await connectionTo(status, { 'retry-after': '60' });
    await eventually(async () =>
      expect(await problem()).toMatch(/^Deliveries have been failing since 2\d{3}-\d\d-\d\dT[\d:.]+Z; their attempts say why\.$/),
    );
    expect(await problemCode()).toBe('DELIVERIES_FAILING');
  });

  it('says until when Klaviyo refuses requests', async () => {
    const client = await switchboard.anotherOrganization();
    const id = await connectKlaviyo(client);
    await subscribe(client, id);
    switchboard.sandbox?.klaviyo.inject({ kind: 'throttle', target: 'api', seconds: 60 });
    await publish(client, { recipient: { email: 'anna@example.com' } });
    await eventually(async () => {
      const { connection } = await client.query('query ($id: ID!) { connection(id: $id) { problem problemCode } }', { id });
      expect(connection.problemCode).toBe('THROTTLED');
      expect(connection.problem).toMatch(
        /^The destination limits its requests; deliveries continue at 2\d{3}-\d\d-\d\dT[\d:.]+Z\.$/,
      );
    });
  });

  it('is selected by the example operations of GraphiQL', async () => {
    const { client, problem } = await connectionTo(500);
    await eventually(async () => expect(await problem()).not.toBeNull());
    const asking = graphiqlExamples('http://localhost/').filter(({ query }) => /\bproblem\b/.test(query));
    expect(asking.length).toBeGreaterThan(0);
    for (const { query } of asking) expect((await client.send(query)).errors).toBeUndefined();
  });
});
