import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { maliciousDocuments, times } from './support/maliciousDocuments.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  for (let index = 0; index < 20; index += 1) await switchboard.client.send('{ organization { id } }');
});
afterAll(() => switchboard.close());

async function post(body: string) {
  const { authorization } = switchboard.client;
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(switchboard.client.url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

describe('A malicious document is refused with a short message:', () => {
  it.each(maliciousDocuments)('%s', async (_what, query) => {
    const { status, text } = await post(JSON.stringify({ query }));
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(20_000);
  });

  it('a batch', async () => {
    const batch = Array.from({ length: 1_000 }, () => ({ query: '{ organization { id } }' }));
    expect(await post(JSON.stringify(batch))).toMatchObject({ status: 400 });
  });

  it('a name of 1 MB over a websocket', async () => {
    const live = LiveClient.of(switchboard.client);
    const ended = await live.watch(`{ ${'a'.repeat(1_000_000)} }`).ended;
    expect(ended).toMatchObject([{ message: expect.stringMatching(/^.{0,200}$/), extensions: { code: 'BAD_USER_INPUT' } }]);
    await live.close();
  });

  it('but not long words within a string', async () => {
    const query = `{ connection(id: "${'x'.repeat(100_000)}") { id } }`;
    expect(await post(JSON.stringify({ query }))).toMatchObject({ status: 200 });
  });

  it('and not a large document that is harmless', async () => {
    const query = `{ ${times(245, () => 'organization { id }')} }`;
    expect(await post(JSON.stringify({ query }))).toMatchObject({ status: 200 });
  });

  it('and the server still answers other callers', async () => {
    const body = JSON.stringify({ query: maliciousDocuments[3]?.[1] });
    const attack = Promise.all(Array.from({ length: 20 }, () => post(body)));
    expect(await switchboard.client.send('{ organization { id } }')).toMatchObject({ status: 200 });
    await attack;
  });
});
