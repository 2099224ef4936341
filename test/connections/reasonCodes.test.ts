import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { connectKlaviyo, createKlaviyoConnection, seeConnection } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const turn = (id: string, isEnabled: boolean) =>
  switchboard.client.query(
    'mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) { userErrors { code } } }',
    { input: { id, isEnabled } },
  );

describe('statusReasonCode', () => {
  it('distinguishes a connection that nobody has authorized yet from one that was disabled', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    const waiting = { status: 'PENDING_AUTHORIZATION', isEnabled: true, statusReasonCode: 'NOT_AUTHORIZED_YET' };
    expect(await seeConnection(switchboard.client, id)).toMatchObject(waiting);
    await turn(id, false);
    expect(await seeConnection(switchboard.client, id)).toMatchObject({
      ...{ status: 'DISABLED', isEnabled: false, statusReasonCode: 'SWITCHED_OFF' },
    });
    await turn(id, true);
    expect(await seeConnection(switchboard.client, id)).toMatchObject(waiting);
  });

  it('is added by a migration to connections that had only a sentence', async () => {
    const sentences: [status: string, reason: string | null, code: string | null][] = [
      ['active', null, null],
      ['pending_authorization', 'Nobody has authorized it yet.', 'not_authorized_yet'],
      ['pending_authorization', 'It has to be authorized first.', 'not_authorized_yet'],
      ['pending_authorization', 'The last authorization was denied.', 'authorization_denied'],
      ['pending_authorization', 'The last authorization failed: Try again.', 'authorization_failed'],
      ['pending_authorization', 'The authorization was revoked.', 'authorization_revoked'],
      ['reauthorization_required', 'Klaviyo no longer accepts the grant: connect again.', 'grant_lost'],
      ['reauthorization_required', 'The access token has expired, and there is no refresh token.', 'grant_lost'],
      ['reauthorization_required', 'The grant leads to another Klaviyo account (A) than before.', 'account_changed'],
      ['reauthorization_required', 'The grant lacks the scope events:write: connect again and allow it.', 'scope_missing'],
      ['disabled', 'It was turned off.', 'switched_off'],
      ['disabled', 'Every delivery failed for 5 days.', 'failing'],
      ['disabled', 'The receiver answered 410 Gone.', 'gone'],
      ['disabled', 'Its organization is being deleted.', 'organization_deleted'],
    ];
    const old = await startSwitchboard({ ROLE: 'api' });
    try {
      await old.sql('alter table connections drop column status_reason_code');
      await old.sql("delete from migrations where name like '0024%'");
      for (const [status, reason] of sentences) {
        await old.sql(
          "insert into connections (organization_id, type, status, status_reason, configuration) values (?, 'webhook', ?, ?, '{}')",
          [old.client.keys.organizationId, status, reason],
        );
      }
      expect(await migrate(old.database)).toEqual(['0024_give_reasons_a_code']);
      const rows = await old.sql('select status, status_reason, status_reason_code from connections order by id');
      expect(rows.map((row) => [row.status, row.status_reason, row.status_reason_code])).toEqual(sentences);
    } finally {
      await old.close();
    }
  });
});

describe('problemCode', () => {
  const problemOf = async (id: string) =>
    (await switchboard.client.query('query ($id: ID!) { connection(id: $id) { status problem problemCode } }', { id }))
      .connection;

  it('is null while there is no problem, or when the status says it all', async () => {
    const id = await createWebhookConnection(switchboard.client);
    expect(await problemOf(id)).toEqual({ status: 'ACTIVE', problem: null, problemCode: null });
    await turn(id, false);
    expect(await problemOf(id)).toEqual({ status: 'DISABLED', problem: null, problemCode: null });
  });

  it('distinguishes a token that cannot be refreshed from a missing scope', async () => {
    const id = await connectKlaviyo(switchboard.client);
    await subscribe(switchboard.client, id);
    const set = (change: string) => switchboard.sql(`update credentials set ${change} where connection_id = ?`, [id]);
    await set("refresh_problem = 'Klaviyo could not be reached.'");
    expect(await problemOf(id)).toMatchObject({
      ...{ problem: expect.stringContaining('could not be reached'), problemCode: 'REFRESH_FAILING' },
    });
    await set("refresh_problem = null, scopes = '{accounts:read}'");
    expect(await problemOf(id)).toMatchObject({
      ...{ problem: expect.stringContaining('events:write'), problemCode: 'SCOPE_MISSING' },
    });
  });
});
