import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { Metadata } from '../../domain/Metadata.js';
import { pageTypes } from '../pagination.js';
import { payloadType } from '../userErrors.js';

@ObjectType('Subscription', { description: 'A subscription routes the events of one type to a connection.' })
export class SubscriptionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'Name of the event type; eventTypes lists them.' })
  eventType!: string;

  @Field(() => Boolean, { description: 'False while the subscription is paused: new events get no delivery for it.' })
  isActive!: boolean;

  @Field(() => String, { nullable: true, description: 'Id of the subscription in your own system; unique in the organization.' })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'Metadata of your own system.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When the subscription was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the subscription last changed.' })
  updatedAt!: Date;
}

export const SubscriptionPage = pageTypes('Subscription', 'subscriptions', () => SubscriptionObject);

export const SubscriptionPayload = payloadType<{ subscription: SubscriptionObject }>(
  'SubscriptionPayload',
  'The subscription after the change, or the problems of the input.',
  {
    subscription: [() => SubscriptionObject, 'The subscription; null when there are userErrors.'],
  },
);
export type SubscriptionPayload = InstanceType<typeof SubscriptionPayload>;

@InputType({ description: 'A new subscription.' })
export class CreateSubscriptionInput {
  @Field(() => ID, { description: 'Id of the connection that gets the events.' })
  connectionId!: string;

  @Field(() => String, { description: 'Name of the event type; eventTypes lists them.' })
  eventType!: string;

  @Field(() => Boolean, { defaultValue: true, description: 'False to create a paused subscription.' })
  isActive?: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the subscription in your own system: 1 to 200 characters, unique in the organization.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'Metadata of your own system: at most 50 keys of at most 40 characters, with strings of at most 500 characters, numbers, true or false as values.',
  })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Changes to a subscription. Absent fields stay as they are.' })
export class UpdateSubscriptionInput {
  @Field(() => ID, { description: 'Id of the subscription.' })
  id!: string;

  @Field(() => ID, { nullable: true, description: 'Id of the connection that gets the events from now on.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'Name of the event type from now on.' })
  eventType?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'False pauses the subscription, true resumes it.' })
  isActive?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the subscription in your own system: 1 to 200 characters, unique in the organization; null removes it.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'Replaces all metadata; null removes it.' })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'The subscription to delete.' })
export class DeleteSubscriptionInput {
  @Field(() => ID, { description: 'Id of the subscription. Its waiting deliveries are cancelled.' })
  id!: string;
}

@InputType({ description: 'Conditions for a list of subscriptions.' })
export class SubscriptionFilter {
  @Field(() => String, { nullable: true, description: 'Only subscriptions to this event type.' })
  eventType?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'True for active subscriptions only; false for paused ones only.' })
  isActive?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Only subscriptions of this connection.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only the subscription with this externalId.' })
  externalId?: string | null;
}
