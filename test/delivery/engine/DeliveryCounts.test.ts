import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { findDeliveryStatistics } from '../../../src/delivery/deliveryStatistics.js';
import { DeliveryCounts } from '../../../src/delivery/engine/DeliveryCounts.js';
import type { Settlement } from '../../../src/delivery/engine/Settlement.js';
import { eventually } from '../../support/eventually.js';
import { status } from '../support/Inbox.js';
import { testbedOfFile } from '../support/testbedOfFile.js';

const context = testbedOfFile();

const HOUR_MS = 3_600_000;

/** A result of an attempt that took 100 ms. */
function result(connectionId: number, state: Settlement['state'], startedAtMs = Date.now()): Settlement {
  const attempt = { durationMs: 100, statusCode: 200, responseBody: null, error: null };
  return { state, connectionId, attempt, startedAtMs, agingSinceMs: startedAtMs, clockOffsetMs: 0 } as unknown as Settlement;
}

const statistics = (connectionId?: number) =>
  findDeliveryStatistics(context.bed, context.bed.caller, {
    from: new Date(Date.now() - HOUR_MS),
    connectionId: connectionId === undefined ? null : String(connectionId),
  });

/** Never writes by itself. */
const LATER = 2 ** 30;

function counts(everyMs = LATER, errors: unknown[] = []): DeliveryCounts {
  return new DeliveryCounts(context.bed.database, everyMs, (error) => errors.push(error));
}

describe('DeliveryCounts', () => {
  it('counts what was delivered, failed and is retried, and nothing else', async () => {
    const id = await context.bed.connection('http://127.0.0.1:1/');
    const one = counts();
    const states = ['delivered', 'failed', 'retrying', 'held', 'cancelled', 'expired', 'handedBack'] as const;
    one.add(states.map((state) => result(id, state)));
    await one.close();
    expect(await statistics()).toMatchObject({ delivered: 1, failed: 1, retried: 1, p50Ms: 104.5 });
  });

  it('loses nothing and does not deadlock when many processes add to the same rows', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => context.bed.connection('http://127.0.0.1:1/')));
    const errors: unknown[] = [];
    const now = Date.now();
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, process) => {
          const one = counts(LATER, errors);
          // Each in an order of its own, over three minutes.
          const turned = [...ids.slice(process), ...ids.slice(0, process)];
          if (process % 2) turned.reverse();
          one.add(turned.flatMap((id) => [0, 1, 2].map((minute) => result(id, 'delivered', now - minute * 60_000))));
          await one.close();
        }),
      );
    }
    expect(errors).toEqual([]);
    const whole = await statistics();
    expect(whole).toMatchObject({ delivered: 5 * 8 * 20 * 3, failed: 0 });
    for (const id of ids) expect((await statistics(id)).delivered).toBe(5 * 8 * 3);
    const latencies = await context.bed.rows<{ counted: number }>(sql`
      select (select sum(l) from unnest(latencies) l)::int - delivered::int as counted from delivery_statistics`);
    expect(new Set(latencies.map(({ counted }) => counted))).toEqual(new Set([0]));
  });

  it('keeps the counts that Postgres does not take, and adds them later', async () => {
    const id = await context.bed.connection('http://127.0.0.1:1/');
    const errors: unknown[] = [];
    const one = counts(50, errors);
    const rename = (from: string, to: string) =>
      sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(context.bed.database.sql());
    await rename('delivery_statistics', 'elsewhere');
    try {
      one.add([result(id, 'delivered')]);
      await eventually(() => expect(errors.length).toBeGreaterThan(1));
      one.add([result(id, 'delivered'), result(id, 'failed')]);
    } finally {
      await rename('elsewhere', 'delivery_statistics');
    }
    await eventually(async () => expect(await statistics(id)).toMatchObject({ delivered: 2, failed: 1 }));
    await one.close();
    expect(await statistics()).toMatchObject({ delivered: 2, failed: 1, p95Ms: 104.5 });
  });

  it('leaves out a connection that is deleted by now, and counts the others', async () => {
    const [stays, goes] = [
      await context.bed.connection('http://127.0.0.1:1/'),
      await context.bed.connection('http://127.0.0.1:2/'),
    ];
    const one = counts();
    one.add([result(stays, 'delivered'), result(goes, 'delivered')]);
    await sql`delete from connections where id = ${goes}`.execute(context.bed.database.sql());
    await one.close();
    expect(await context.bed.rows(sql`select distinct connection_id::int as id from delivery_statistics order by 1`)).toEqual([
      { id: -1 },
      { id: stays },
    ]);
  });

  it('does not deadlock with the deletion of connections', async () => {
    const errors: unknown[] = [];
    const now = Date.now();
    for (let round = 0; round < 10; round++) {
      const ids = await Promise.all(Array.from({ length: 5 }, () => context.bed.connection('http://127.0.0.1:1/')));
      const add = async () => {
        const one = counts(LATER, errors);
        one.add(ids.flatMap((id) => Array.from({ length: 60 }, (_, minute) => result(id, 'delivered', now - minute * 60_000))));
        await one.close();
      };
      await add();
      const drop = (id: number) => sql`delete from connections where id = ${id}`.execute(context.bed.database.sql());
      await Promise.all([add(), add(), ...ids.map(drop), add()]);
      expect(await context.bed.rows(sql`select from connections where id = any(${sql.val(ids)}::bigint[])`)).toEqual([]);
    }
    expect(errors).toEqual([]);
  });

  it('of an engine that stops are written', async () => {
    const { bed } = context;
    const inbox = await context.inbox(status(200));
    const { connectionId } = await bed.subscribed(inbox.url);
    const engine = bed.engine({ options: { countMs: LATER } });
    await engine.start();
    await bed.publish(Array.from({ length: 30 }, (_, n) => ({ n })));
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 30 }));
    expect(await statistics(connectionId)).toMatchObject({ delivered: 0 });
    await engine.stop();
    expect(await statistics(connectionId)).toMatchObject({ delivered: 30, failed: 0, successRate: 1 });
  });
});
