import { GraphQLDateTime, GraphQLEmailAddress, GraphQLJSONObject, GraphQLPhoneNumber } from 'graphql-scalars';
import { Field, Float, ID, InputType, ObjectType } from 'type-graphql';
import { payloadType } from '../userErrors.js';

@ObjectType('EventType', { description: 'A type of events.' })
export class EventTypeObject {
  @Field(() => String, { description: 'Name of the event type in subscriptions and events.' })
  name!: string;

  @Field(() => String, { description: 'Meaning of the events.' })
  description!: string;

  @Field(() => GraphQLJSONObject, { description: 'JSON schema (draft 2020-12) of the data.' })
  schema!: Record<string, unknown>;

  @Field(() => GraphQLJSONObject, { description: 'Sample data, which a test broadcast sends.' })
  sample!: Record<string, unknown>;
}

@ObjectType('Event', {
  description: 'A published event, such as a parcel event. It never changes, unless its data is erased (erasedAt).',
})
export class EventObject {
  @Field(() => ID, { description: 'Unique identifier, which is also the webhook-event-id header. Ids grow with time.' })
  id!: string;

  @Field(() => String, { description: 'Name of the event type.' })
  eventType!: string;

  @Field(() => String, { nullable: true, description: "The publisher's key that prevents duplicates." })
  idempotencyKey?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Events with the same key reach each connection in the order of publishing.',
  })
  orderingKey?: string | null;

  @Field(() => Float, { nullable: true, description: 'Value of the event; null when the publisher gave none.' })
  value?: number | null;

  @Field(() => String, { nullable: true, description: 'Currency of the value (ISO 4217).' })
  valueCurrency?: string | null;

  @Field(() => GraphQLDateTime, { description: 'When the event was published.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When eraseRecipient erased the data, which is empty since then. Null otherwise.',
  })
  erasedAt?: Date | null;
}

@InputType({
  description:
    'The person whom an event is about, by at least one of email, phoneNumber, externalId and anonymousId. Used for Klaviyo only, never sent to a webhook.',
})
export class RecipientInput {
  @Field(() => GraphQLEmailAddress, { nullable: true, description: 'Email address.' })
  email?: string | null;

  @Field(() => GraphQLPhoneNumber, { nullable: true, description: 'Telephone number in E.164 form.' })
  phoneNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'Id of the person in your own system; at most 255 characters.' })
  externalId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of a person who is otherwise unknown; at most 255 characters.',
  })
  anonymousId?: string | null;

  @Field(() => String, { nullable: true, description: 'First name; at most 255 characters.' })
  firstName?: string | null;

  @Field(() => String, { nullable: true, description: 'Last name; at most 255 characters.' })
  lastName?: string | null;

  @Field(() => String, { nullable: true, description: 'Language and region as a BCP 47 tag, such as nl-NL.' })
  locale?: string | null;
}

@InputType({ description: 'An event to publish.' })
export class PublishEventInput {
  @Field(() => String, { description: 'Name of the event type; eventTypes lists them.' })
  eventType!: string;

  @Field(() => GraphQLJSONObject, { description: 'The data, which must satisfy the schema of the event type. At most 256 KiB.' })
  data!: Record<string, unknown>;

  @Field(() => String, {
    nullable: true,
    description:
      'A key of your own that prevents duplicates: publishing the same event again with the same key returns the first event. At most 255 characters.',
  })
  idempotencyKey?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "A key that keeps events in order, such as the number of a parcel: events with the same key reach each connection in the order of publishing, and wait for each other's retries. At most 255 characters.",
  })
  orderingKey?: string | null;

  @Field(() => RecipientInput, {
    nullable: true,
    description: 'The person whom the event is about. Klaviyo connections require it.',
  })
  recipient?: RecipientInput | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      'When the event happened: after 2000-01-01 and at most a year ahead; the time of publishing by default. Klaviyo records the event at this time, or at the time in its data when this is absent. An event that is old when it is sent triggers no flows in Klaviyo.',
  })
  occurredAt?: Date | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Value of the event, such as the total of an order. Used for Klaviyo only.',
  })
  value?: number | null;

  @Field(() => String, { nullable: true, description: 'Currency of the value: three capital letters (ISO 4217), such as EUR.' })
  valueCurrency?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'Additional properties, used for Klaviyo only and encrypted at rest: strings (at most 100,000 bytes), numbers, true or false. At most 200, of 256 KiB together; names have at most 100 characters. They take precedence over properties from the data.',
  })
  properties?: Record<string, unknown> | null;
}

@InputType({ description: 'Events to publish together.' })
export class PublishEventsInput {
  @Field(() => [PublishEventInput], { description: '1 to 1,000 events; all are published, or none.' })
  events!: PublishEventInput[];
}

@InputType({ description: 'Conditions for a list of events.' })
export class EventFilter {
  @Field(() => String, { nullable: true, description: 'Only events of this type.' })
  eventType?: string | null;

  @Field(() => String, { nullable: true, description: 'Only the event that was published with this key.' })
  idempotencyKey?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only events published after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only events published before this time.' })
  createdBefore?: Date | null;
}

@ObjectType({ description: 'A published event. It is stored, with a delivery for each active subscription.' })
class PublishedEvent {
  @Field(() => EventObject, { description: 'The event; the earlier event when it is a duplicate.' })
  event!: EventObject;

  @Field(() => Boolean, { description: 'True when the event was published before with this idempotency key.' })
  duplicate!: boolean;
}

export const PublishEventPayload = payloadType<{ event: EventObject; duplicate: boolean }>(
  'PublishEventPayload',
  'The published event, or the problems of the input.',
  {
    event: [() => EventObject, 'The event; null when there are userErrors.'],
    duplicate: [() => Boolean, 'True when the event was published before with this idempotency key.'],
  },
);
export type PublishEventPayload = InstanceType<typeof PublishEventPayload>;

export const PublishEventsPayload = payloadType<{ events: PublishedEvent[] }>(
  'PublishEventsPayload',
  'The published events in the order of the input, or the problems of the input.',
  {
    events: [() => [PublishedEvent], 'The published events, one for each event of the input; null when there are userErrors.'],
  },
  'Problems of the input that a person can fix. Empty on success; otherwise nothing was published.',
);
export type PublishEventsPayload = InstanceType<typeof PublishEventsPayload>;
