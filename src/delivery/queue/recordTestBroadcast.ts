import { sql } from 'kysely';
import type { Database } from '../../database/Database.js';
import type { Subscription } from '../../domain/Subscription.js';
import type { DeliveryJob } from '../DeliveryJob.js';
import type { AttemptReport } from '../Destination.js';

/** Writes a test's event, delivery and attempt as they would be after a single attempt, in one statement. */
export async function recordTestBroadcast(
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
