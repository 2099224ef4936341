import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { type Caller, reachableRows } from '../domain/Caller.js';
import type { ConnectionStatus } from '../domain/Connection.js';
import { InputError, ProblemList } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { checkRecipient, type Recipient } from '../domain/Recipient.js';
import { Subscription } from '../domain/Subscription.js';
import {
  DESTINATION_CONNECTION,
  type DeliveryJob,
  type DestinationConnectionRow,
  toDestinationConnection,
} from './DeliveryJob.js';
import type { AttemptReport, DeliveryResult, Destination } from './Destination.js';
import { clean } from './engine/Settlement.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Provides a realistic sample payload for each event type. */
  readonly eventTypes: { get(name: string): { readonly sample: Record<string, unknown> } | undefined };
}

/** The shape of `broadcast-result` in the OpenAPI description. */
interface BroadcastResult {
  readonly success: boolean;
  readonly statusCode: number | null;
  readonly responseBody: string | null;
  readonly durationMs: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The recipient of a test when the caller names none, for destinations that need one. Webhooks do not receive it. */
const TEST_RECIPIENT: Recipient = { email: 'switchboard-test@example.com' };

/**
 * Sends a sample event to a subscription's destination now and returns the result. It uses the same path, headers and limits as
 * any delivery, and also works for paused subscriptions. The attempt is recorded with trigger `test`, is never retried, and does
 * not affect the connection's health. A destination that needs a recipient gets the one that the caller names. Throws an
 * InputError: NOT_FOUND, CONFLICT, or a code about the recipient.
 */
export async function broadcastTestEvent(
  dependencies: Dependencies,
  caller: Caller,
  input: { readonly subscriptionId: string; readonly recipient?: Recipient | null },
): Promise<BroadcastResult> {
  const { database, cipher, destinations, eventTypes } = dependencies;
  const problems = new ProblemList();
  if (input.recipient) checkRecipient(input.recipient, problems, 'recipient');
  problems.throwIfAny();
  const em = database.em();
  const subscription = await em.findOne(Subscription, {
    id: parseId(input.subscriptionId) ?? 0,
    ...reachableRows(caller),
  });
  if (!subscription) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'subscriptionId');
  const { status, ...connection } = await findConnection(database, subscription.connectionId);
  if (status === 'pending_authorization' || status === 'reauthorization_required') {
    throw InputError.of('CONFLICT', 'The connection has to be authorized first.', 'subscriptionId');
  }
  const destination = destinations.get(connection.type);
  const definition = eventTypes.get(subscription.eventType);
  if (!destination || !definition) {
    throw InputError.of('CONFLICT', `There is no sample of ${subscription.eventType} to send.`, 'subscriptionId');
  }

  const id = newId();
  const event = {
    id,
    eventType: subscription.eventType,
    payload: JSON.stringify(definition.sample),
    recipient: cipher.encrypt(JSON.stringify(input.recipient ?? TEST_RECIPIENT), columnIdentity.recipient(id)),
    ...{ occurredAt: null, value: null, valueCurrency: null, properties: null },
    isTest: true,
    createdAt: new Date(),
  };
  const job = { deliveryId: newId(), attemptNumber: 1, event, connection: toDestinationConnection(connection) };
  const startedAt = performance.now();
  const result = await attempt(destination, job);
  const report = toReport(result, startedAt);
  // The delivery is recorded afterwards, so no worker can claim it and send it again.
  await recordTestBroadcast(database, job, subscription, report, result.kind === 'delivered');
  const subject = ['delivery', job.deliveryId] as const;
  await recordAudit(database.em(), caller, {
    action: 'test_event_broadcast',
    subject,
    after: { subscriptionId: String(subscription.id) },
  });
  const { statusCode, responseBody, durationMs, error } = report;
  return { success: result.kind === 'delivered', statusCode, responseBody, durationMs, error };
}

async function findConnection(database: Database, id: number) {
  const { rows } = await sql<DestinationConnectionRow & { readonly status: ConnectionStatus }>`
    select ${sql.raw(DESTINATION_CONNECTION)}, status from connections where id = ${id}`.execute(database.sql());
  // Deleting a connection deletes its subscriptions, so the connection is gone only if the subscription is.
  if (!rows[0]) throw InputError.of('NOT_FOUND', 'There is no such subscription.', 'subscriptionId');
  return rows[0];
}

/** Makes the attempt. The destination limits its own duration; the signal aborts one that exceeds its limit. */
function attempt(destination: Destination, job: DeliveryJob): Promise<DeliveryResult> {
  return destination.deliver(job, AbortSignal.timeout(destination.maxDurationMs + 5_000));
}

function toReport(result: DeliveryResult, startedAt: number): AttemptReport {
  if ('attempt' in result && result.attempt) return clean(result.attempt);
  const durationMs = Math.round(performance.now() - startedAt);
  const error = explain(result);
  return { durationMs, statusCode: null, responseBody: null, error };
}

function explain(result: DeliveryResult): { code: string; message: string } {
  if (result.kind === 'throttled') {
    return { code: 'rate_limited', message: `The rate limit is used up for another ${Math.ceil(result.forMs / 1_000)} s.` };
  }
  if (result.kind === 'unavailable') return { code: 'resolver', message: result.reason };
  if (result.kind === 'hold') return { code: 'held', message: result.reason };
  return { code: 'abandoned', message: 'It was given up before it was answered.' };
}

/** Writes a test's event, delivery and attempt in one statement, in the state after a single attempt. */
async function recordTestBroadcast(
  database: Database,
  { deliveryId, event, connection }: DeliveryJob,
  subscription: Pick<Subscription, 'id'>,
  { durationMs, statusCode, responseBody, error }: AttemptReport,
  delivered: boolean,
): Promise<void> {
  await sql`
    with event as (
      insert into events (id, organization_id, event_type, payload, recipient, is_test, created_at)
      values (${event.id}, ${connection.organizationId}, ${event.eventType}, ${event.payload}::json, ${event.recipient}, true,
        ${event.createdAt})
      returning id, organization_id, event_type
    ), delivery as (
      insert into deliveries (id, organization_id, event_id, subscription_id, connection_id, event_type, status, attempt_count)
      select ${deliveryId}::uuid, organization_id, id, ${subscription.id}::bigint, ${connection.id}::bigint, event_type,
        ${delivered ? 'delivered' : 'failed'}, 1
      from event returning id
    )
    insert into attempts (delivery_id, number, trigger, status_code, response_body, error_code, error_message, duration_ms, started_at)
    select id, 1, 'test', ${statusCode}::int, ${responseBody}, ${error?.code ?? null}, ${error?.message ?? null},
      ${durationMs}::int, now() - ${durationMs} * interval '1 millisecond'
    from delivery`.execute(database.sql());
}
