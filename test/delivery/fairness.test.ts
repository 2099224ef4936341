import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Answer } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const answerIn =
  (ms: number): Answer =>
  (response) =>
    void setTimeout(() => response.end(), ms);
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

describe('Attempts at once', () => {
  it('never exceed the limit of a connection', async () => {
    const { bed } = test;
    // From the twentieth request on, the receiver answers none until seven wait and an eighth could have arrived.
    const held: ServerResponse[] = [];
    let holds = true;
    const inbox = await test.inbox((response, _received, count) => {
      if (count < 20 || !holds) return void setTimeout(() => response.end(), 5);
      held.push(response);
      if (held.length < 7) return;
      setTimeout(() => {
        holds = false;
        for (const waiting of held) waiting.end();
      }, 100);
    });
    await bed.subscribed(inbox.url);
    await bed.publish(many(200));
    await bed.engine({ options: { concurrencyPerConnection: 7 } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 200 }));
    expect(inbox.mostOpen).toBe(7);
    expect(new Set(inbox.ids)).toHaveLength(200);
    expect(inbox.received).toHaveLength(200);
  });

  it('never exceed the limit of the process', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(5));
    for (let index = 0; index < 6; index++) await bed.subscribed(inbox.url);
    await bed.publish(many(40));
    const engine = bed.engine({ options: { concurrency: 9, concurrencyPerConnection: 5 } });
    await engine.start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 240 }));
    expect(inbox.mostOpen).toBeLessThanOrEqual(9);
    expect(engine.stats()).toEqual({ running: 0, held: 0, unsettled: 0 });
  });
});

describe('A connection', () => {
  it('that never answers, with 5,000 due, does not delay the others', async () => {
    const { bed } = test;
    const silent = await test.inbox(() => {});
    const inbox = await test.inbox();
    await bed.subscribed(silent.url, { eventType: 'dead.event' });
    await bed.subscribed(inbox.url);
    await bed.publish(many(5_000), 'dead.event');
    // The long timeout keeps places from becoming free.
    const engine = bed.engine({ timeoutMs: 120_000, options: { concurrency: 16, concurrencyPerConnection: 8 } });
    await engine.start();
    await eventually(() => expect(silent.open).toBeGreaterThan(4));
    await bed.publish(many(50));
    engine.wake();
    await eventually(() => expect(inbox.received).toHaveLength(50));
  });

  it('that is slow can not take all places, even together with others like it', async () => {
    const { bed } = test;
    const silent = await test.inbox(() => {});
    const inbox = await test.inbox();
    for (let index = 0; index < 8; index++) await bed.subscribed(silent.url, { eventType: 'slow.event' });
    await bed.subscribed(inbox.url);
    await bed.publish(many(100), 'slow.event');
    const engine = bed.engine({ timeoutMs: 120_000, options: { concurrency: 40, concurrencyPerConnection: 10 } });
    await engine.start();
    await eventually(() => expect(silent.open).toBeGreaterThanOrEqual(8));
    await bed.publish(many(20));
    engine.wake();
    await eventually(() => expect(inbox.received).toHaveLength(20));
  });

  it('is served in turn: each of a hundred gets its first delivery before one gets all of its own', async () => {
    const { bed } = test;
    const inbox = await test.inbox(answerIn(2));
    for (let index = 0; index < 100; index++) await bed.subscribed(`${inbox.url}/${index}`);
    const options = { concurrency: 20, concurrencyPerConnection: 4 };
    // All connections get an earlier attempt, because an untried one makes a single attempt first.
    await bed.publish([{}]);
    const before = bed.engine({ options });
    await before.start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 100 }));
    await before.stop();
    await bed.publish(many(20));
    await bed.engine({ options }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 2_100 }));
    const firstThousand = new Set(inbox.received.slice(100, 1_100).map(({ url }) => url));
    expect(firstThousand).toHaveLength(100);
  });
});
