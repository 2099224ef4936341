import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultKind } from '../../src/sandbox/createSandbox.js';
import { eventually } from '../support/eventually.js';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { type StandaloneKlaviyo, startKlaviyo } from '../support/startKlaviyo.js';
import { startLinkedSwitchboard } from '../support/startLinkedSwitchboard.js';
import { publish, seeDeliveries, subscribe, waitForDelivery } from '../support/webhookFlow.js';

let klaviyo: StandaloneKlaviyo;
let switchboard: Awaited<ReturnType<typeof startLinkedSwitchboard>>;
beforeAll(async () => {
  klaviyo = await startKlaviyo();
  switchboard = await startLinkedSwitchboard(klaviyo, { environment: { DELIVERY_RETRY_DELAYS: '200ms,200ms,200ms' } });
});
afterEach(() => klaviyo.klaviyo.clearFaults());
afterAll(async () => {
  await switchboard.close();
  await klaviyo.close();
});

const recipient = { email: 'anna@example.com' };

async function linked() {
  const client = await switchboard.anotherOrganization();
  const account = klaviyo.klaviyo.addAccount({ name: 'A shop' }).id;
  const connectionId = await connectKlaviyo(client, account);
  await subscribe(client, connectionId);
  return { client, account, connectionId };
}

async function told(client: GraphQLClient, id: string) {
  const query = 'query ($id: ID!) { connection(id: $id) { status statusReason problem } }';
  return (await client.query(query, { id })).connection;
}

/** Sets the access token to expired, as after an hour. */
const runOut = (id: string) =>
  switchboard.sql('update credentials set expires_at = now(), refresh_leased_until = null where connection_id = ?', [id]);
/** Ends the pause after a failed refresh. */
async function endPauses(id: string): Promise<void> {
  await switchboard.sql('update credentials set refresh_leased_until = null where connection_id = ?', [id]);
  await switchboard.sql('update connection_health set throttled_until = null where connection_id = ?', [id]);
}

const BY_ITSELF = 'There is nothing to do: it is tried again with the next event. Events wait meanwhile.';
const OPERATOR = 'The operator of this server has to mend it. Events wait meanwhile.';

describe('While the token endpoint fails, nothing is lost, no attempt is used up, and the connection shows the problem', () => {
  it.each<[FaultKind, string, string]>([
    ['hang', 'Klaviyo did not answer in time.', BY_ITSELF],
    ['reset', 'Klaviyo could not be reached', BY_ITSELF],
    ['server_error', 'Klaviyo answered 500', BY_ITSELF],
    ['unavailable', 'Klaviyo answered 503', BY_ITSELF],
    ['bad_gateway_html', 'Klaviyo answered 502', BY_ITSELF],
    ['edge_challenge', 'Klaviyo answered 403', BY_ITSELF],
    ['throttle', 'Klaviyo is limiting requests', BY_ITSELF],
    ['big_body', 'more than 65536 bytes', BY_ITSELF],
    ['invalid_client', "Klaviyo refused this server's own credentials.", OPERATOR],
  ])(
    '%s: ACTIVE, “… %s …”',
    async (kind, why, next) => {
      const { client, account, connectionId } = await linked();
      await runOut(connectionId);
      const fault = klaviyo.klaviyo.inject({ kind, target: 'token', seconds: kind === 'throttle' ? 4 : undefined });
      const event = await publish(client, { recipient });
      await eventually(
        async () => {
          const { status, statusReason, problem } = await told(client, connectionId);
          expect({ status, statusReason }).toEqual({ status: 'ACTIVE', statusReason: null });
          expect(problem).toContain(why);
          expect(problem).toContain(next);
        },
        { withinMs: 15_000 },
      );
      expect(await seeDeliveries(client, { eventId: event })).toMatchObject([{ status: 'PENDING', attempts: [] }]);

      klaviyo.klaviyo.clearFaults(fault.id);
      await endPauses(connectionId);
      expect(await waitForDelivery(client, event, 'DELIVERED')).toMatchObject({ attempts: [{ number: 1, statusCode: 202 }] });
      expect(await told(client, connectionId)).toEqual({ status: 'ACTIVE', statusReason: null, problem: null });
      expect(klaviyo.klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 0 });
    },
    40_000,
  );

  it('invalid_grant: REAUTHORIZATION_REQUIRED, the event is held, and arrives when the merchant connects again', async () => {
    const { client, account, connectionId } = await linked();
    await runOut(connectionId);
    klaviyo.klaviyo.inject({ kind: 'invalid_grant', target: 'token', count: 1 });
    const event = await publish(client, { recipient });
    await waitForDelivery(client, event, 'HELD');
    expect(await told(client, connectionId)).toEqual({
      status: 'REAUTHORIZATION_REQUIRED',
      statusReason: 'Klaviyo no longer accepts the grant: connect again.',
      problem: null,
    });
    await connectKlaviyo(client, account, connectionId);
    await waitForDelivery(client, event, 'DELIVERED');
    expect(klaviyo.klaviyo.eventTotals(account)).toEqual({ recorded: 1, duplicates: 0 });
  });

  it.each<FaultKind>(['omit_refresh_token', 'omit_expires_in', 'expires_in_string'])('%s is no fault', async (kind) => {
    const { client, connectionId } = await linked();
    await runOut(connectionId);
    klaviyo.klaviyo.inject({ kind, target: 'token', count: 1 });
    await waitForDelivery(client, await publish(client, { recipient }), 'DELIVERED');
    expect(await told(client, connectionId)).toEqual({ status: 'ACTIVE', statusReason: null, problem: null });
  });
});

describe('When the events endpoint fails once, the event still arrives once, and its attempts are recorded', () => {
  it.each<[FaultKind, (string | null)[], (number | null)[]]>([
    ['hang', ['TIMEOUT', null], [null, 202]],
    ['reset', ['PROVIDER_UNAVAILABLE', null], [null, 202]],
    ['server_error', ['BAD_STATUS', null], [500, 202]],
    ['unavailable', ['BAD_STATUS', null], [503, 202]],
    ['bad_gateway_html', ['BAD_STATUS', null], [502, 202]],
    ['edge_challenge', ['BAD_STATUS', null], [403, 202]],
    ['big_body', ['PROVIDER_UNAVAILABLE', null], [null, 202]],
    // Waiting for a limit and refreshing a token use up no attempt.
    ['throttle', [null], [202]],
    ['unauthorized', [null], [202]],
  ])(
    '%s',
    async (kind, errors, statuses) => {
      const { client, account, connectionId } = await linked();
      klaviyo.klaviyo.inject({ kind, target: 'api', count: 1, seconds: 1, afterEffect: kind === 'reset' });
      const event = await publish(client, { recipient });
      const { attempts } = await eventually(() => waitForDelivery(client, event, 'DELIVERED'), { withinMs: 25_000 });
      const seen = attempts as { statusCode: number | null; error: { code: string } | null }[];
      expect(seen.map(({ error }) => error?.code ?? null)).toEqual(errors);
      expect(seen.map(({ statusCode }) => statusCode)).toEqual(statuses);
      expect(await told(client, connectionId)).toMatchObject({ status: 'ACTIVE', statusReason: null });
      expect(klaviyo.klaviyo.eventTotals(account).recorded).toBe(1);
    },
    40_000,
  );
});

describe('docs/klaviyo-faults.md', () => {
  it('has a line for every fault', async () => {
    const page = await readFile('docs/klaviyo-faults.md', 'utf8');
    const lines = page.split('\n').filter((line) => line.startsWith('| '));
    for (const fault of [
      ...['no answer', 'connection reset', '500', '502 with HTML', '403 from the CDN', '429', '`invalid_grant`'],
      ...['`invalid_client`', 'no refresh token', 'no `expires_in`', '`expires_in` as text', 'a body of 10 MB'],
    ]) {
      expect(
        lines.filter((line) => line.startsWith(`| ${fault} |`)),
        fault,
      ).toHaveLength(1);
    }
  });
});
