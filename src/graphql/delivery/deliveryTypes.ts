import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { AttemptTrigger } from '../../domain/Attempt.js';
import type { DeliveryStatus } from '../../domain/Delivery.js';
import { RecipientInput } from '../events/eventTypes.js';
import { pageTypes } from '../pagination.js';
import { payloadType } from '../userErrors.js';

export const DeliveryStatusEnum = {
  PENDING: 'pending',
  RETRYING: 'retrying',
  HELD: 'held',
  DELIVERED: 'delivered',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
} as const;
registerEnumType(DeliveryStatusEnum, {
  name: 'DeliveryStatus',
  description: 'The status of a delivery.',
  valuesConfig: {
    PENDING: { description: 'The first attempt has not been made yet.' },
    RETRYING: { description: 'At least one attempt failed; the next one follows at nextAttemptAt.' },
    HELD: { description: 'The connection is not ACTIVE. The delivery is sent when it is ACTIVE again.' },
    DELIVERED: { description: 'The destination accepted the delivery.' },
    FAILED: { description: 'All attempts failed, or no attempt can succeed. retryDelivery tries again.' },
    CANCELLED: { description: 'The subscription or the connection was deleted before the delivery was sent.' },
    EXPIRED: {
      description:
        'The delivery waited for longer than DELIVERY_MAX_AGE_DAYS and was not sent. retryDelivery sends it, with all its retries.',
    },
  },
});

const AttemptTriggerEnum = { AUTOMATIC: 'automatic', MANUAL: 'manual', TEST: 'test' } as const;
registerEnumType(AttemptTriggerEnum, {
  name: 'AttemptTrigger',
  description: 'What triggered an attempt.',
  valuesConfig: {
    AUTOMATIC: { description: 'The schedule of attempts and retries.' },
    MANUAL: { description: 'The mutation retryDelivery or replayDeliveries.' },
    TEST: { description: 'The mutation broadcastTestEvent.' },
  },
});

@ObjectType('AttemptError', { description: 'The reason why an attempt failed.' })
export class AttemptErrorObject {
  /** The stored code, which the field resolvers convert. */
  code!: string;

  @Field(() => String, { description: 'The reason as a sentence.' })
  message!: string;
}

@ObjectType('Attempt', { description: 'One HTTP try of a delivery.' })
export class AttemptObject {
  @Field(() => Int, { description: 'Number of the attempt; the first is 1.' })
  number!: number;

  @Field(() => AttemptTriggerEnum, { description: 'What triggered the attempt.' })
  trigger!: AttemptTrigger;

  @Field(() => Int, { nullable: true, description: 'HTTP status of the response; null without a response.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the response body.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'Duration in milliseconds.' })
  durationMs!: number;

  @Field(() => GraphQLDateTime, { description: 'When the attempt began.' })
  startedAt!: Date;
}

@ObjectType('Delivery', { description: 'One event for one subscription.' })
export class DeliveryObject {
  @Field(() => ID, { description: 'Unique identifier, which is also the webhook-id header of every attempt.' })
  id!: string;

  @Field(() => DeliveryStatusEnum, { description: 'Current status.' })
  status!: DeliveryStatus;

  @Field(() => Int, { description: 'Number of attempts so far.' })
  attemptCount!: number;

  @Field(() => GraphQLDateTime, { description: 'When the delivery was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the delivery last changed.' })
  updatedAt!: Date;
}

export const DeliveryPage = pageTypes('Delivery', 'deliveries', () => DeliveryObject);

@InputType({ description: 'Conditions for a list of deliveries.' })
export class DeliveryFilter {
  @Field(() => DeliveryStatusEnum, { nullable: true, description: 'Only deliveries in this status.' })
  status?: DeliveryStatus | null;

  @Field(() => [DeliveryStatusEnum], { nullable: true, description: 'Only deliveries in one of these statuses: 7 at most.' })
  statuses?: DeliveryStatus[] | null;

  @Field(() => ID, { nullable: true, description: 'Only deliveries to this connection.' })
  connectionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only deliveries for this subscription.' })
  subscriptionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only deliveries of this event.' })
  eventId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only deliveries of events of this type.' })
  eventType?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only deliveries created after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only deliveries created before this time.' })
  createdBefore?: Date | null;
}

@InputType({ description: 'The delivery to retry.' })
export class RetryDeliveryInput {
  @Field(() => ID, { nullable: true, description: 'Id of the delivery. Required.' })
  id?: string | null;

  @Field(() => ID, { nullable: true, description: 'Id of the delivery.', deprecationReason: 'Use id.' })
  deliveryId?: string | null;
}

@InputType({ description: 'The subscription to test.' })
export class BroadcastTestEventInput {
  @Field(() => ID, { description: 'Id of the subscription, which may be paused.' })
  subscriptionId!: string;

  @Field(() => RecipientInput, {
    nullable: true,
    description: 'Recipient of the sample in Klaviyo, such as your own email address. A fictitious person by default.',
  })
  recipient?: RecipientInput | null;
}

@InputType({ description: 'The connection of a signing secret.' })
export class SigningSecretInput {
  @Field(() => ID, { description: 'Id of a WEBHOOK connection.' })
  connectionId!: string;
}

export const DeliveryPayload = payloadType<{ delivery: DeliveryObject }>(
  'DeliveryPayload',
  'The delivery after the change, or the problems of the input.',
  {
    delivery: [() => DeliveryObject, 'The delivery; null when there are userErrors.'],
  },
);
export type DeliveryPayload = InstanceType<typeof DeliveryPayload>;

@ObjectType({ description: 'The result of a test broadcast (OpenAPI broadcast-result).' })
class BroadcastResult {
  @Field(() => Boolean, { description: 'True when the destination accepted the event.' })
  success!: boolean;

  @Field(() => Int, { nullable: true, description: 'HTTP status of the response; null without a response.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the response body.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'Duration in milliseconds.' })
  durationMs!: number;

  @Field(() => AttemptErrorObject, { nullable: true, description: 'Why the attempt failed; null when it succeeded.' })
  error?: AttemptErrorObject | null;
}

export const BroadcastTestEventPayload = payloadType<{ result: BroadcastResult }>(
  'BroadcastTestEventPayload',
  'The result of the test, or the problems of the input.',
  {
    result: [() => BroadcastResult, 'The result; null when there are userErrors.'],
  },
);
export type BroadcastTestEventPayload = InstanceType<typeof BroadcastTestEventPayload>;

export const SigningSecretPayload = payloadType<{ signingSecret: string; previousSecretExpiresAt: Date }>(
  'SigningSecretPayload',
  'The secret that signs deliveries (Standard Webhooks), or the problems of the input.',
  {
    signingSecret: [() => String, 'The secret: `whsec_` and base64. Null when there are userErrors.'],
    previousSecretExpiresAt: [
      () => GraphQLDateTime,
      'Until when the previous secret also signs; null without a previous secret.',
    ],
  },
);
export type SigningSecretPayload = InstanceType<typeof SigningSecretPayload>;
