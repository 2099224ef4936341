import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo, createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

const CONNECTIONS = `query ($filter: ConnectionFilter, $first: Int, $after: String) {
  connections(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { endCursor } edges { node { id status statusReasonCode problemCode } } } }`;

interface Found {
  readonly id: string;
  readonly status: string;
  readonly statusReasonCode: string | null;
  readonly problemCode: string | null;
}

async function list(client: GraphQLClient, filter: object): Promise<Found[]> {
  const { connections } = await client.query(CONNECTIONS, { filter, first: 100 });
  expect(connections.totalCount).toBe(connections.edges.length);
  return connections.edges.map(({ node }: { node: Found }) => node);
}

describe('The filter needsAttention', () => {
  it('finds what is not ACTIVE or has a problem, but not what somebody switched off', async () => {
    const client = await switchboard.anotherOrganization();
    const { sql } = switchboard;
    const made: Record<string, string> = {
      fine: await createWebhookConnection(client),
      failing: await createWebhookConnection(client),
      throttled: await createWebhookConnection(client),
      calmed: await createWebhookConnection(client),
      gone: await createWebhookConnection(client),
      'switched off': await createWebhookConnection(client),
      'without a reason': await createWebhookConnection(client),
      'not linked': await createKlaviyoConnection(client),
      linked: await connectKlaviyo(client),
      'without the scope': await connectKlaviyo(client),
      'without the scope, and not subscribed': await connectKlaviyo(client),
      'not refreshed': await connectKlaviyo(client),
    };
    const health = (values: string, name: string) =>
      sql(
        `insert into connection_health (connection_id, failing_since, throttled_until) values (?, ${values})
          on conflict (connection_id) do update set failing_since = excluded.failing_since, throttled_until = excluded.throttled_until`,
        [made[name]],
      );
    await health('now(), null', 'failing');
    await health("null, now() + interval '1 hour'", 'throttled');
    await health("null, now() - interval '1 hour'", 'calmed');
    const disable = (name: string, code: string | null) =>
      sql("update connections set status = 'disabled', status_reason_code = ? where id = ?", [code, made[name]]);
    await disable('gone', 'gone');
    await disable('without a reason', null);
    const off = 'mutation ($id: ID!) { updateConnection(input: { id: $id, isEnabled: false }) { userErrors { code } } }';
    await client.query(off, { id: made['switched off'] });
    await subscribe(client, made.linked as string);
    await subscribe(client, made['without the scope'] as string);
    const lacking = [made['without the scope'], made['without the scope, and not subscribed']];
    for (const id of lacking) await sql("update credentials set scopes = '{accounts:read}' where connection_id = ?", [id]);
    await sql("update credentials set refresh_problem = 'It is down.' where connection_id = ?", [made['not refreshed']]);

    const names = (found: readonly Found[]) =>
      found.map(({ id }) => Object.keys(made).find((name) => made[name] === id)).reverse();
    const [needing, others] = [await list(client, { needsAttention: true }), await list(client, { needsAttention: false })];
    expect(names(needing)).toEqual([
      ...['failing', 'throttled', 'gone', 'without a reason', 'not linked', 'without the scope', 'not refreshed'],
    ]);
    expect(names(others)).toEqual([...['fine', 'calmed', 'switched off', 'linked', 'without the scope, and not subscribed']]);
    // The fields of each connection say the same.
    const needs = ({ status, statusReasonCode, problemCode }: Found) =>
      status === 'ACTIVE' ? problemCode !== null : statusReasonCode !== 'SWITCHED_OFF';
    for (const found of await list(client, {}))
      expect([found, needs(found)]).toEqual([found, needing.some(({ id }) => id === found.id)]);
    expect(await list(client, { needsAttention: null })).toHaveLength(12);
    expect(names(await list(client, { needsAttention: true, type: 'KLAVIYO', status: 'ACTIVE' }))).toEqual([
      ...['without the scope', 'not refreshed'],
    ]);
    const first = (await client.query(CONNECTIONS, { filter: { needsAttention: true }, first: 4 })).connections;
    const rest = { filter: { needsAttention: true }, first: 100, after: first.pageInfo.endCursor };
    expect((await client.query(CONNECTIONS, rest)).connections.edges).toHaveLength(3);
    expect(first.totalCount).toBe(7);
    const stranger = await switchboard.anotherOrganization();
    expect(await list(stranger, { needsAttention: true })).toEqual([]);
  });
});
