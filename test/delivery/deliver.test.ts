import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { columnIdentity } from '../../src/database/columnIdentity.js';
import { eventually } from './support/eventually.js';
import { testbedOfFile } from './support/testbedOfFile.js';

const test = testbedOfFile();

describe('A published event', () => {
  it('arrives as the OpenAPI body, signed, and is recorded as delivered', async () => {
    const { bed } = test;
    const inbox = await test.inbox();
    const { connectionId } = await bed.subscribed(inbox.url);
    const engine = bed.engine();
    await engine.start();
    const payload = { z: 1, a: 'Zürich "quoted"', nested: [null, true, 1.5] };
    await bed.publish([payload]);
    engine.wake();
    await eventually(() => expect(inbox.received).toHaveLength(1));

    const [received] = inbox.received;
    expect(received?.body).toBe(
      '{"event_type":"test.event","data":{"z":1,"a":"Zürich "quoted"","nested":[null,true,1.5]}}'.replaceAll(
        '"quoted"',
        '\\"quoted\\"',
      ),
    );
    await eventually(async () => expect(await bed.counts()).toEqual({ delivered: 1 }));
    const [delivery] = await bed.deliveries();
    expect(received?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Switchboard\//),
      'webhook-id': delivery?.id,
    });
    const [connection] = await bed.rows<{ signing_secret: string }>(sql`select signing_secret from connections`);
    const secret = bed.cipher.decrypt(connection?.signing_secret ?? '', columnIdentity.signingSecret(connectionId));
    const headers = received?.headers as Record<string, string>;
    expect(new Webhook(secret).verify(received?.body ?? '', headers)).toEqual({ event_type: 'test.event', data: payload });
    expect(() => new SvixWebhook(secret).verify(received?.body ?? '', headers)).not.toThrow();
    expect(await bed.attempts()).toMatchObject([
      { delivery_id: delivery?.id, number: 1, trigger: 'automatic', status_code: 200, response_body: 'ok', error_code: null },
    ]);
    expect(delivery).toMatchObject({ attempt_count: 1, leased_by: null });
  });
});
