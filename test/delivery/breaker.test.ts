import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { DisabledConnection } from '../../src/delivery/engine/Outcomes.js';
import { eventually } from '../support/eventually.js';
import { status } from './support/Inbox.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const health = async () => (await test.bed.rows(sql`select *, paused_until > now() as paused from connection_health`))[0];

describe('The circuit breaker', () => {
  it('pauses a connection after consecutive failures, probes with one attempt after growing pauses, and closes on success', async () => {
    const { bed } = test;
    let broken = true;
    const inbox = await test.inbox((response) => response.writeHead(broken ? 500 : 200).end());
    await bed.subscribed(inbox.url);
    await bed.publish(many(100));
    const breaker = { failures: 5, pauseMs: 200, maxPauseMs: 400 };
    await bed.engine({ options: { breaker, concurrencyPerConnection: 5, retryDelaysMs: [60_000] } }).start();
    await eventually(async () => expect(await health()).toMatchObject({ paused: true }));
    const atPause = inbox.received.length;
    expect(atPause).toBeLessThan(20);
    await eventually(() => expect(inbox.received.length).toBeGreaterThanOrEqual(atPause + 3));
    const probes = inbox.received.slice(atPause).map(({ at }) => at);
    expect((probes[1] as number) - (probes[0] as number)).toBeGreaterThanOrEqual(380);
    expect((probes[2] as number) - (probes[1] as number)).toBeLessThan(900);

    broken = false;
    await eventually(async () => expect((await bed.counts()).pending).toBeUndefined());
    expect(await health()).toMatchObject({ consecutive_failures: 0, failing_since: null, pauses: 0, paused_until: null });
    // Waiting for the connection has used up no attempt.
    expect(await bed.rows(sql`select max(attempt_count) as most from deliveries`)).toEqual([{ most: 1 }]);
  });

  it('makes one probe, even with several engines', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since, pauses, paused_until)
      values (${connectionId}, 50, now(), 3, now() + interval '300 milliseconds')`);
    await bed.publish(many(50));
    const options = { breaker: { failures: 5, pauseMs: 30_000, maxPauseMs: 60_000 }, pollMs: 10 };
    await Promise.all([bed.engine({ options }).start(), bed.engine({ options }).start(), bed.engine({ options }).start()]);
    await eventually(() => expect(inbox.received).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await eventually(async () => expect(await health()).toMatchObject({ pauses: 4, paused: true }));
    expect(inbox.received).toHaveLength(1);
  });

  it('is not opened by failures with successes between', async () => {
    const { bed } = test;
    const inbox = await test.inbox((response, _received, count) => response.writeHead(count % 3 === 0 ? 200 : 500).end());
    await bed.subscribed(inbox.url);
    await bed.publish(many(60));
    const breaker = { failures: 10, pauseMs: 30_000, maxPauseMs: 30_000 };
    await bed.engine({ options: { breaker, concurrencyPerConnection: 1, retryDelaysMs: [] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 20, failed: 40 }));
  });
});

describe('A connection that only fails', () => {
  it('for long enough is disabled with a reason; its deliveries are held, and onConnectionDisabled is called once', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.publish(many(20));
    const told: DisabledConnection[] = [];
    const options = {
      breaker: { failures: 3, pauseMs: 50, maxPauseMs: 50 },
      disableAfterMs: 400,
      retryDelaysMs: [20, 20, 20, 20, 20],
    };
    await bed
      .engine({
        options,
        onConnectionDisabled: async (_em, disabled) => {
          told.push(disabled);
        },
      })
      .start();
    await eventually(async () =>
      expect(await bed.rows(sql`select status, status_reason_code from connections`)).toEqual([
        { status: 'disabled', status_reason_code: 'failing' },
      ]),
    );
    await eventually(async () => {
      const counts = await bed.counts();
      expect((counts.held ?? 0) + (counts.failed ?? 0)).toBe(20);
      expect(counts.held).toBeGreaterThan(0);
    });
    expect(told).toEqual([
      {
        connectionId,
        organizationId: bed.organizationId,
        reason: expect.stringMatching(/^Every delivery failed for /),
        failingSince: expect.any(Date),
      },
    ]);
  });

  it('is not disabled by its first failure after a long silence', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since)
      values (${connectionId}, 1, now() - interval '30 days')`);
    await bed.publish([{}]);
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await eventually(async () => expect(await bed.counts()).toEqual({ failed: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await bed.rows(sql`select status from connections`)).toEqual([{ status: 'active' }]);
  });

  it.each([
    ['6 days', 'active'],
    ['25 hours', 'active'],
    ['23 hours', 'disabled'],
  ])('for 6 days, and whose last failure lies %s back, is %s after one more', async (silence, expected) => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since, last_failed_at)
      values (${connectionId}, 10, now() - interval '6 days', now() - ${silence}::interval)`);
    await bed.publish([{}]);
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await eventually(async () => expect(await health()).toMatchObject({ consecutive_failures: 11 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const statusOf = () => bed.rows(sql`select status from connections`);
    await eventually(async () => expect(await statusOf()).toEqual([{ status: expected }]));
    const [begun] = await bed.rows(sql`select failing_since > now() - interval '1 hour' as anew from connection_health`);
    expect(begun).toEqual({ anew: expected === 'active' });
  });

  it('is not disabled by failures from before last_failed_at was recorded', async () => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    const { connectionId } = await bed.subscribed(inbox.url);
    await bed.rows(sql`
      insert into connection_health (connection_id, consecutive_failures, failing_since)
      values (${connectionId}, 10, now() - interval '6 days')`);
    await bed.publish([{}]);
    await bed.engine({ options: { retryDelaysMs: [] } }).start();
    await eventually(async () => expect(await health()).toMatchObject({ consecutive_failures: 11 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await bed.rows(sql`select status from connections`)).toEqual([{ status: 'active' }]);
  });

  it.each([
    ['7 days', 12, 'active'],
    ['8 hours', 15, 'active'],
    ['8 hours', 16, 'disabled'],
  ])('every %s, %i times, is %s', async (interval, times, expected) => {
    const { bed } = test;
    const inbox = await test.inbox(status(500));
    await bed.subscribed(inbox.url);
    const breaker = { failures: 10, pauseMs: 1, maxPauseMs: 1 };
    await bed.engine({ options: { retryDelaysMs: [], breaker } }).start();
    for (let failures = 1; failures <= times; failures++) {
      if (failures > 1) {
        await bed.rows(sql`
          update connection_health
          set failing_since = failing_since - ${interval}::interval, last_failed_at = last_failed_at - ${interval}::interval`);
      }
      await bed.publish([{}]);
      await eventually(async () => expect(await health()).toMatchObject({ consecutive_failures: failures }));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    await eventually(async () => expect(await bed.rows(sql`select status from connections`)).toEqual([{ status: expected }]));
  });
});
