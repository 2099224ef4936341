import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { Metadata } from '../../domain/Metadata.js';
import { pageTypes } from '../pagination.js';
import { payloadType } from '../userErrors.js';

@ObjectType('Subscription', { description: 'Which events go to a connection.' })
export class SubscriptionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'The event type that it routes; eventTypes lists them.' })
  eventType!: string;

  @Field(() => Boolean, { description: 'False while paused: new events make no deliveries for it.' })
  isActive!: boolean;

  @Field(() => String, { nullable: true, description: 'What your own system calls it; unique in the organization.' })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'What your own system noted on it.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it was last changed.' })
  updatedAt!: Date;
}

export const SubscriptionPage = pageTypes('Subscription', 'subscriptions', () => SubscriptionObject);

export const SubscriptionPayload = payloadType<{ subscription: SubscriptionObject }>(
  'SubscriptionPayload',
  'The subscription after a change, or what is wrong with the input.',
  {
    subscription: [() => SubscriptionObject, 'As it is now; null when there are userErrors.'],
  },
);
export type SubscriptionPayload = InstanceType<typeof SubscriptionPayload>;

@InputType({ description: 'A new subscription.' })
export class CreateSubscriptionInput {
  @Field(() => ID, { description: 'Where the events go.' })
  connectionId!: string;

  @Field(() => String, { description: 'Which events; eventTypes lists them.' })
  eventType!: string;

  @Field(() => Boolean, { defaultValue: true, description: 'False makes it paused from the start.' })
  isActive?: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'What your own system calls it: 1 to 200 characters, unique in the organization.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'What your own system notes on it: at most 50 keys of at most 40 characters; texts of at most 500, numbers, true or false.',
  })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Changes to a subscription: only what is given changes.' })
export class UpdateSubscriptionInput {
  @Field(() => ID, { description: 'Which subscription.' })
  id!: string;

  @Field(() => ID, { nullable: true, description: 'Where events go from now on.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'Which events from now on.' })
  eventType?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'False pauses it, true resumes it.' })
  isActive?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'What your own system calls it: 1 to 200 characters, unique in the organization; null takes it away.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'Replaces all of its metadata; null empties it.' })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Which subscription to delete.' })
export class DeleteSubscriptionInput {
  @Field(() => ID, { description: 'The subscription; what it still had to deliver is cancelled.' })
  id!: string;
}

@InputType({ description: 'Which subscriptions to list.' })
export class SubscriptionFilter {
  @Field(() => String, { nullable: true, description: 'Only of this event type.' })
  eventType?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Only active ones, or only paused ones.' })
  isActive?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Only of this connection.' })
  connectionId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only the one with this externalId.' })
  externalId?: string | null;
}
