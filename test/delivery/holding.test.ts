import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { cancelForSubscription, sweepQueue } from '../../src/delivery/queue/tasks.js';
import { eventually } from '../support/eventually.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const setStatus = (status: string) => test.bed.rows(sql`update connections set status = ${status}`);

describe('Deliveries of a connection that is not active', () => {
  it('are HELD from the beginning, and released in order when it is active', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url, { status: 'pending_authorization' });
    for (let index = 0; index < 4; index++) await bed.publish(many(25).map(({ n }) => ({ n: index * 25 + n })));
    expect(await bed.counts()).toEqual({ held: 100 });
    await bed.engine({ options: { concurrencyPerConnection: 1 } }).start();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(inbox.received).toHaveLength(0);

    await bed.database.transaction(async (em) => {
      await sql`update connections set status = 'active'`.execute(em.getKysely());
      await sweepQueue(em, connectionId);
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 100 }));
    expect(inbox.data).toEqual(many(100));
  });

  it('are HELD when it stops being active, in the transaction that changes it or by the engine', async () => {
    const { bed } = test;
    const { connectionId } = await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish(many(10));
    await setStatus('disabled');
    await bed.database.transaction(async (em) => expect(await sweepQueue(em, connectionId, 4)).toBe(4));
    expect(await bed.counts()).toEqual({ held: 4, pending: 6 });
    await bed.engine().start();
    await eventually(async () => expect(await bed.counts()).toEqual({ held: 10 }));
  });

  it('are released oldest first, and events published meanwhile come behind them', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url, { status: 'disabled' });
    for (let index = 0; index < 5; index++) await bed.publish(many(500).map(({ n }) => ({ n: index * 500 + n })));
    await setStatus('active');
    // The state that the engine finds: some deliveries are released, the rest is still held.
    await bed.database.transaction(async (em) => expect(await sweepQueue(em, connectionId, 1_000)).toBe(1_000));
    await bed.publish(many(100).map(({ n }) => ({ n: 2_500 + n })));
    expect(await bed.counts()).toEqual({ pending: 1_000, held: 1_600 });
    await bed.engine({ options: { concurrencyPerConnection: 1 } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 2_600 }), { withinMs: 30_000 });
    expect(inbox.data).toEqual(many(2_600));
  });

  it('with locked rows are released as soon as they are unlocked, and the others before', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url, { status: 'disabled' });
    await bed.publish(many(10));
    await bed.database.transaction(async (em) => {
      await sql`select from deliveries order by id limit 1 for update`.execute(em.getKysely());
      await setStatus('active');
      await bed.engine().start();
      await eventually(() => expect(inbox.received).toHaveLength(9));
    });
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 10 }));
  });

  it('that a concurrent publish held after the release are found and released', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url, { status: 'disabled' });
    await bed.engine().start();
    await bed.publish(many(5));
    await setStatus('active');
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 5 }));
  });

  it('keep their attempts: one that was retrying is retrying again', async () => {
    const { bed } = test;
    const { connectionId } = await bed.subscribed('http://127.0.0.1:1/');
    await bed.publish([{}]);
    await bed.rows(sql`update deliveries set status = 'retrying', attempt_count = 2, retry_count = 2`);
    await setStatus('disabled');
    await bed.database.transaction((em) => sweepQueue(em, connectionId));
    expect(await bed.counts()).toEqual({ held: 1 });
    await setStatus('active');
    await bed.database.transaction((em) => sweepQueue(em, connectionId));
    expect(await bed.deliveries()).toMatchObject([{ status: 'retrying', attempt_count: 2, retry_count: 2 }]);
  });
});

describe('Deliveries are CANCELLED', () => {
  it('with their subscription, wherever they wait', async () => {
    const { bed } = test;
    const { subscriptionId } = await bed.subscribed('http://127.0.0.1:1/');
    const other = await bed.subscription(await bed.connection('http://127.0.0.1:1/'));
    const elsewhere = await bed.connection('http://127.0.0.1:2/', { status: 'disabled' });
    await bed.publish(many(3));
    // The subscription moves to another connection; its deliveries stay with the first.
    await bed.rows(sql`update subscriptions set connection_id = ${elsewhere} where id = ${subscriptionId}`);
    await bed.publish(many(2));
    await bed.database.transaction(async (em) => {
      expect(await cancelForSubscription(em, subscriptionId)).toBe(5);
      await sql`delete from subscriptions where id = ${subscriptionId}`.execute(em.getKysely());
    });
    expect(await bed.counts()).toEqual({ cancelled: 5, pending: 5 });
    const left = (await bed.deliveries()).filter(({ status }) => status === 'pending');
    expect(new Set(left.map(({ subscription_id }) => Number(subscription_id)))).toEqual(new Set([other]));
  });

  it('with their connection; the rest of a long queue by the engine, and nothing more is sent', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.publish(many(50));
    await bed.rows(sql`update deliveries set status = 'held' where id in (select id from deliveries limit 20)`);
    await bed.database.transaction(async (em) => {
      await sql`delete from connections where id = ${connectionId}`.execute(em.getKysely());
      expect(await sweepQueue(em, connectionId, 10)).toBe(20);
    });
    await bed.engine().start();
    await eventually(async () => expect(await bed.counts()).toEqual({ cancelled: 50 }));
    expect(inbox.received).toHaveLength(0);
  });

  it('when a publish raced with the deletion of their subscription', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { subscriptionId } = await bed.subscribed(inbox.url);
    await bed.publish(many(200));
    await bed.rows(sql`delete from subscriptions where id = ${subscriptionId}`);
    await bed.engine({ options: { concurrencyPerConnection: 3, pollMs: 1_000 } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ cancelled: 200 }));
    expect(inbox.received).toHaveLength(0);
    expect(await bed.attempts()).toEqual([]);
  });

  it('while in flight, and stay so when the attempt fails, but become DELIVERED when it succeeds', async () => {
    const { bed } = test;
    const held: (() => void)[] = [];
    const inbox = await test.inbox((response, _received, count) => {
      held.push(() => response.writeHead(count === 1 ? 200 : 500).end());
    });
    const { subscriptionId } = await bed.subscribed(inbox.url);
    await bed.publish(many(2));
    await bed.engine().start();
    await eventually(() => expect(held).toHaveLength(2));
    await bed.database.transaction((em) => cancelForSubscription(em, subscriptionId));
    expect(await bed.counts()).toEqual({ cancelled: 2 });
    for (const answer of held) answer();
    await eventually(async () => expect(await bed.attempts()).toHaveLength(2));
    expect(await bed.counts()).toEqual({ cancelled: 1, delivered: 1 });
    expect((await bed.deliveries()).every(({ leased_by }) => leased_by === null)).toBe(true);
  });
});
