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
  description: 'What became of an event for one subscription.',
  valuesConfig: {
    PENDING: { description: 'Waits for its first attempt.' },
    RETRYING: { description: 'At least one attempt did not work; another follows at nextAttemptAt.' },
    HELD: { description: 'Waits until its connection is active again. Nothing is lost.' },
    DELIVERED: { description: 'The destination took it.' },
    FAILED: { description: 'Every attempt failed, or none could work. retryDelivery tries again.' },
    CANCELLED: { description: 'Its subscription or connection was deleted first.' },
    EXPIRED: {
      description:
        'It waited for longer than DELIVERY_MAX_AGE_DAYS, and was not sent. retryDelivery sends it, with all its retries.',
    },
  },
});

const AttemptTriggerEnum = { AUTOMATIC: 'automatic', MANUAL: 'manual', TEST: 'test' } as const;
registerEnumType(AttemptTriggerEnum, {
  name: 'AttemptTrigger',
  description: 'Who wanted an attempt.',
  valuesConfig: {
    AUTOMATIC: { description: 'The schedule.' },
    MANUAL: { description: 'Somebody, with retryDelivery or replayDeliveries.' },
    TEST: { description: 'Somebody, with broadcastTestEvent.' },
  },
});

@ObjectType('AttemptError', { description: 'Why an attempt did not work.' })
export class AttemptErrorObject {
  @Field(() => String, { description: 'Stable; made for programs.' })
  code!: string;

  @Field(() => String, { description: 'The same in a sentence.' })
  message!: string;
}

@ObjectType('Attempt', { description: 'One HTTP try of a delivery.' })
export class AttemptObject {
  @Field(() => Int, { description: '1 for the first.' })
  number!: number;

  @Field(() => AttemptTriggerEnum, { description: 'Who wanted it.' })
  trigger!: AttemptTrigger;

  @Field(() => Int, { nullable: true, description: 'The HTTP status; null when no answer came.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the answer.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'From beginning to end, in milliseconds.' })
  durationMs!: number;

  @Field(() => GraphQLDateTime, { description: 'When it began.' })
  startedAt!: Date;
}

@ObjectType('Delivery', { description: 'One event for one subscription, and what became of it.' })
export class DeliveryObject {
  @Field(() => ID, { description: 'Unique identifier; also the webhook-id header of every attempt.' })
  id!: string;

  @Field(() => DeliveryStatusEnum, { description: 'How far it came.' })
  status!: DeliveryStatus;

  @Field(() => Int, { description: 'Attempts so far, whoever wanted them.' })
  attemptCount!: number;

  @Field(() => GraphQLDateTime, { description: 'When the event was published.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it last changed.' })
  updatedAt!: Date;
}

export const DeliveryPage = pageTypes('Delivery', 'deliveries', () => DeliveryObject);

@InputType({ description: 'Which deliveries to list.' })
export class DeliveryFilter {
  @Field(() => DeliveryStatusEnum, { nullable: true, description: 'Only in this status.' })
  status?: DeliveryStatus | null;

  @Field(() => [DeliveryStatusEnum], { nullable: true, description: 'Only in one of these statuses: 7 at most.' })
  statuses?: DeliveryStatus[] | null;

  @Field(() => ID, { nullable: true, description: 'Only to this connection.' })
  connectionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only for this subscription.' })
  subscriptionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only of this event.' })
  eventId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only of events of this type.' })
  eventType?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only created after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only created before this time.' })
  createdBefore?: Date | null;
}

@InputType({ description: 'Which delivery to try again.' })
export class RetryDeliveryInput {
  @Field(() => ID, { description: 'The delivery.' })
  deliveryId!: string;
}

@InputType({ description: 'Which subscription to test.' })
export class BroadcastTestEventInput {
  @Field(() => ID, { description: 'The subscription; it may be paused.' })
  subscriptionId!: string;

  @Field(() => RecipientInput, {
    nullable: true,
    description: 'Whom the sample is about, for Klaviyo: your own address, say. Nobody real when not given.',
  })
  recipient?: RecipientInput | null;
}

@InputType({ description: 'Whose signing secret.' })
export class SigningSecretInput {
  @Field(() => ID, { description: 'A WEBHOOK connection.' })
  connectionId!: string;
}

export const DeliveryPayload = payloadType<{ delivery: DeliveryObject }>(
  'DeliveryPayload',
  'The delivery after a change, or what is wrong with the input.',
  {
    delivery: [() => DeliveryObject, 'As it is now; null when there are userErrors.'],
  },
);
export type DeliveryPayload = InstanceType<typeof DeliveryPayload>;

@ObjectType({ description: 'How a test broadcast went (OpenAPI broadcast-result).' })
class BroadcastResult {
  @Field(() => Boolean, { description: 'True when the destination took it.' })
  success!: boolean;

  @Field(() => Int, { nullable: true, description: 'The HTTP status; null when no answer came.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the answer.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'From beginning to end, in milliseconds.' })
  durationMs!: number;

  @Field(() => AttemptErrorObject, { nullable: true, description: 'Why it did not work; null when it did.' })
  error?: AttemptErrorObject | null;
}

export const BroadcastTestEventPayload = payloadType<{ result: BroadcastResult }>(
  'BroadcastTestEventPayload',
  'How the test went, or what is wrong with the input.',
  {
    result: [() => BroadcastResult, 'What the destination answered; null when there are userErrors.'],
  },
);
export type BroadcastTestEventPayload = InstanceType<typeof BroadcastTestEventPayload>;

export const SigningSecretPayload = payloadType<{ signingSecret: string; previousSecretExpiresAt: Date }>(
  'SigningSecretPayload',
  'The secret that signs deliveries (Standard Webhooks), or what is wrong with the input.',
  {
    signingSecret: [() => String, '`whsec_` and base64; null when there are userErrors.'],
    previousSecretExpiresAt: [() => GraphQLDateTime, 'Until when the secret before this one signs as well; null without one.'],
  },
);
export type SigningSecretPayload = InstanceType<typeof SigningSecretPayload>;
