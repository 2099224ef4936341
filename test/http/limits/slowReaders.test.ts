import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { parcelEvent } from '../../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const PUBLISH = 'mutation ($input: PublishEventsInput!) { publishEvents(input: $input) { userErrors { message } } }';
/** Costs more than an ordinary call, and its answer has more bytes than a connection's buffers. */
const LARGE = '{ events(first: 45) { edges { node { data deliveries { edges { node { id } } } } } } }';

it('A client that does not read its answer keeps nobody of its organization waiting', async () => {
  const { client } = switchboard;
  for (let call = 0; call < 3; call += 1) {
    const events = Array.from({ length: 20 }, (_, index) => ({
      eventType: 'parcels.event.created',
      data: { ...parcelEvent(index), note: 'x'.repeat(230_000) },
    }));
    const { publishEvents } = await client.query(PUBLISH, { input: { events } });
    expect(publishEvents.userErrors).toEqual([]);
  }
  // Somebody else calls all the while: whoever is alone never waits.
  const other = await switchboard.anotherOrganization();
  let over = false;
  const calling = (async () => {
    while (!over) {
      await other.query('{ connections { edges { node { id } } } }');
      await sleep(20);
    }
  })();
  onTestFinished(async () => {
    over = true;
    await calling;
  });

  const { port, hostname } = new URL(switchboard.publicUrl);
  const reader = connect(Number(port), hostname);
  onTestFinished(() => void reader.destroy());
  await once(reader, 'connect');
  reader.pause();
  const body = JSON.stringify({ query: LARGE });
  reader.write(
    `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: ${client.authorization}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await once(reader, 'readable');

  const { events } = await client.query(LARGE);
  expect(events.edges).toHaveLength(45);
}, 120_000);
