import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/Cipher.js';
import { revealSigningSecret, rotateSigningSecret } from '../../src/delivery/signingSecrets.js';
import { eventually } from '../support/eventually.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();

/** Publishes one event to a new connection and returns the request that arrived. */
async function deliverOne(setup?: Parameters<typeof test.bed.subscribed>[1], authConfig?: object) {
  const { bed } = test;
  const inbox = await test.inbox();
  const { connectionId } = await bed.subscribed(inbox.url, setup);
  if (authConfig) {
    const encrypted = bed.cipher.encrypt(JSON.stringify(authConfig), columnIdentity.authConfig(connectionId));
    await bed.rows(sql`update connections set auth_config = ${encrypted} where id = ${connectionId}`);
  }
  await bed.engine().start();
  await bed.publish([{ parcel: 1 }]);
  await eventually(() => expect(inbox.received).toHaveLength(1));
  return { connectionId, inbox, received: inbox.received[0] as (typeof inbox.received)[0] };
}

describe('A published event', () => {
  it('arrives as the OpenAPI body with its keys in order, and is recorded', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    await bed.subscribed(inbox.url);
    const engine = bed.engine();
    await engine.start();
    await bed.publish([{ z: 1, a: 'Zürich "quoted"', nested: [null, true, 1.5] }]);
    engine.wake();
    await eventually(() => expect(inbox.received).toHaveLength(1));
    expect(inbox.received[0]?.body).toBe(
      '{"event_type":"test.event","data":{"z":1,"a":"Zürich \\"quoted\\"","nested":[null,true,1.5]}}',
    );
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    const [delivery] = await bed.deliveries();
    expect(delivery).toMatchObject({ attempt_count: 1, retry_count: 0, leased_by: null, leased_until: null });
    expect(inbox.received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Switchboard\//),
      'webhook-id': delivery?.id,
    });
    const { rows } = await sql<{ id: string; created_at: Date }>`select id, created_at from events`.execute(bed.database.sql());
    expect(inbox.received[0]?.headers).toMatchObject({
      'webhook-event-id': rows[0]?.id,
      'webhook-event-time': new Date(rows[0]?.created_at ?? 0).toISOString(),
    });
    expect(inbox.received[0]?.headers).not.toHaveProperty('webhook-test');
    expect(await bed.attempts()).toMatchObject([
      { delivery_id: delivery?.id, number: 1, trigger: 'automatic', status_code: 200, response_body: 'ok', error_code: null },
    ]);
  });

  it('is signed so that the standardwebhooks and svix packages accept it', async () => {
    const { bed } = test;
    const { connectionId, received } = await deliverOne();
    const { signingSecret } = await revealSigningSecret(bed, bed.caller, { connectionId: String(connectionId) });
    const headers = received.headers as Record<string, string>;
    expect(new Webhook(signingSecret).verify(received.body, headers)).toEqual({ event_type: 'test.event', data: { parcel: 1 } });
    expect(() => new SvixWebhook(signingSecret).verify(received.body, headers)).not.toThrow();
  });

  it('is signed with both secrets after a rotation, until the first one expires', async () => {
    const { bed } = test;
    const { connectionId, inbox } = await deliverOne();
    const input = { connectionId: String(connectionId) };
    const before = await revealSigningSecret(bed, bed.caller, input);
    const after = await rotateSigningSecret(bed, bed.caller, input);
    expect(after.signingSecret).not.toBe(before.signingSecret);
    expect(after.previousSecretExpiresAt?.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect((await revealSigningSecret(bed, bed.caller, input)).signingSecret).toBe(after.signingSecret);

    await bed.publish([{ parcel: 2 }]);
    await eventually(() => expect(inbox.received).toHaveLength(2));
    const { body, headers } = inbox.received[1] as (typeof inbox.received)[0];
    for (const { signingSecret } of [before, after]) {
      expect(() => new Webhook(signingSecret).verify(body, headers as Record<string, string>)).not.toThrow();
    }

    await bed.rows(sql`update connections set previous_signing_secret_expires_at = now() where id = ${connectionId}`);
    await bed.publish([{ parcel: 3 }]);
    await eventually(() => expect(inbox.received).toHaveLength(3));
    expect(inbox.received[2]?.headers['webhook-signature']).toMatch(/^v1,\S+$/);
  });

  it.each([
    ['bearer', { token: 'tok' }, { authorization: 'Bearer tok' }],
    ['basic', { username: 'jö', password: 'p:w' }, { authorization: `Basic ${Buffer.from('jö:p:w').toString('base64')}` }],
    ['api_key', { headerName: 'X-Api-Key', apiKey: 'key' }, { 'x-api-key': 'key' }],
  ] as const)('carries %s auth', async (authType, auth, expected) => {
    const { received } = await deliverOne({ configuration: { authType } }, auth);
    expect(received.headers).toMatchObject(expected);
  });

  it('carries extra headers, which never replace our own', async () => {
    const extraHeaders = [
      { name: 'X-Shop', value: 'berg' },
      { name: 'Webhook-Id', value: 'forged' },
      { name: 'Authorization', value: 'forged' },
    ];
    const { received } = await deliverOne({ configuration: { authType: 'bearer', extraHeaders } }, { token: 'tok' });
    expect(received.headers).toMatchObject({ 'x-shop': 'berg', authorization: 'Bearer tok' });
    expect(received.headers['webhook-id']).not.toBe('forged');
  });

  it('goes to every active subscription of its type, and to no other', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const connectionId = await bed.connection(inbox.url);
    const wanted = [await bed.subscription(connectionId), await bed.subscription(await bed.connection(inbox.url))];
    await bed.subscription(connectionId, 'other.event');
    await bed.subscription(await bed.connection(inbox.url), 'test.event', false);
    await bed.publish([{ n: 1 }, { n: 2 }]);
    const deliveries = await bed.deliveries();
    expect(deliveries.map(({ subscription_id }) => Number(subscription_id)).sort()).toEqual([...wanted, ...wanted].sort());
  });

  it('whose publish is rolled back leaves no rows', async () => {
    const { bed } = test;
    await bed.subscribed('http://127.0.0.1:1/');
    await expect(
      bed.database.transaction(async (em) => {
        await bed.publishIn(em, [{ n: 1 }]);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await bed.counts()).toEqual({});
  });

  it('has delivery ids in the order of publishing', async () => {
    const { bed } = test;
    await bed.subscribed('http://127.0.0.1:1/');
    const eventIds = await bed.publish(Array.from({ length: 500 }, (_, n) => ({ n })));
    const deliveries = await bed.deliveries();
    expect(deliveries.map(({ event_id }) => event_id)).toEqual(eventIds);
    expect(new Set(deliveries.map(({ id }) => id))).toHaveLength(500);
    expect(deliveries.every(({ id }) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/.test(id))).toBe(true);
  });
});
