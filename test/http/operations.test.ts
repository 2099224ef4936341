import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let worker: TestSwitchboard;
let api: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  const shared = switchboard.testDatabase;
  api = await startSwitchboard({ ROLE: 'api' }, shared);
  worker = await startSwitchboard({ ROLE: 'worker' }, shared);
});
afterAll(async () => {
  await Promise.all([worker.close(), api.close()]);
  await switchboard.close();
});

const text = async (server: TestSwitchboard, path: string) => {
  const answer = await fetch(`${server.publicUrl}${path}`);
  return { status: answer.status, body: await answer.text() };
};

describe('An operator can read', () => {
  it('whether a process of any role is alive and ready', async () => {
    for (const server of [switchboard, api, worker]) {
      expect(await text(server, '/health/live')).toMatchObject({ status: 200 });
      expect(JSON.parse((await text(server, '/health/ready')).body)).toEqual({ status: 'ok', database: 'ok', alarms: [] });
    }
  });

  it('its metrics', async () => {
    await text(switchboard, '/health/live');
    const { body } = await text(switchboard, '/metrics');
    expect(body).toContain('switchboard_http_answers_total{method="GET",route="/health/live",status="200"}');
    expect(body).toContain('switchboard_deliveries_waiting{status="held"} 0');
    expect((await text(worker, '/metrics')).body).toContain('switchboard_deliveries_waiting');
  });

  it('the schema', async () => {
    expect((await text(switchboard, '/schema.graphql')).body).toContain('type Subscription');
  });

  it('that a worker serves no API, and that an unknown path is a 404 in JSON', async () => {
    expect((await text(worker, '/graphql')).status).toBe(404);
    expect(JSON.parse((await text(switchboard, '/nothing')).body)).toMatchObject({
      errors: [{ status: '404', code: 'not_found' }],
    });
  });
});

describe('An event that one process publishes', () => {
  it('is delivered by another', async () => {
    await subscribe(api.client, await createWebhookConnection(api.client, `${switchboard.publicUrl}/sandbox/inbox/roles`));
    await waitForDelivery(api.client, await publish(api.client), 'DELIVERED');
  });
});
