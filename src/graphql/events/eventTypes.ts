import { GraphQLDateTime, GraphQLEmailAddress, GraphQLJSONObject, GraphQLPhoneNumber } from 'graphql-scalars';
import { Field, Float, ID, InputType, ObjectType } from 'type-graphql';
import { payloadType } from '../userErrors.js';

@ObjectType('EventType', { description: 'A kind of event that can be subscribed to.' })
export class EventTypeObject {
  @Field(() => String, { description: 'As subscriptions and publishers name it.' })
  name!: string;

  @Field(() => String, { description: 'What it tells.' })
  description!: string;

  @Field(() => GraphQLJSONObject, { description: 'JSON schema (draft 2020-12) of its data.' })
  schema!: Record<string, unknown>;

  @Field(() => GraphQLJSONObject, { description: 'Believable data; what a test broadcast sends.' })
  sample!: Record<string, unknown>;
}

@ObjectType('Event', {
  description: 'Something that happened to a parcel, as it was published. Never changes, unless its data is erased (erasedAt).',
})
export class EventObject {
  @Field(() => ID, { description: 'Unique identifier, also the webhook-event-id header; ids grow with time.' })
  id!: string;

  @Field(() => String, { description: 'What kind of event it is.' })
  eventType!: string;

  @Field(() => String, { nullable: true, description: "The publisher's own name for it." })
  idempotencyKey?: string | null;

  @Field(() => String, { nullable: true, description: 'Events of one key reach each connection in the order of publishing.' })
  orderingKey?: string | null;

  @Field(() => Float, { nullable: true, description: 'What it is worth; null when nobody said so.' })
  value?: number | null;

  @Field(() => String, { nullable: true, description: 'The currency of value (ISO 4217).' })
  valueCurrency?: string | null;

  @Field(() => GraphQLDateTime, { description: 'When it was published.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When its data was erased, by eraseRecipient: data is empty since then. Null otherwise.',
  })
  erasedAt?: Date | null;
}

@InputType({
  description:
    'Whom an event is about; at least one of email, phoneNumber, externalId and anonymousId. Used for Klaviyo only, never sent to a webhook.',
})
export class RecipientInput {
  @Field(() => GraphQLEmailAddress, { nullable: true, description: 'Email address.' })
  email?: string | null;

  @Field(() => GraphQLPhoneNumber, { nullable: true, description: 'Telephone number in E.164 form.' })
  phoneNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'Your own id of the person; at most 255 characters.' })
  externalId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The id of somebody whom you know by nothing else yet; at most 255 characters.',
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
  @Field(() => String, { description: 'What kind of event it is; eventTypes lists them.' })
  eventType!: string;

  @Field(() => GraphQLJSONObject, { description: "Its data, which must satisfy the event type's schema. At most 256 KiB." })
  data!: Record<string, unknown>;

  @Field(() => String, {
    nullable: true,
    description:
      'Your own name for the event: publishing the same again with the same key returns the first one. At most 255 characters.',
  })
  idempotencyKey?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "What must stay in order, such as a parcel's number: events of one key reach each connection in the order of publishing, and wait for each other's retries. At most 255 characters.",
  })
  orderingKey?: string | null;

  @Field(() => RecipientInput, { nullable: true, description: 'Whom it is about; Klaviyo connections need it.' })
  recipient?: RecipientInput | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      "When it happened: later than 2000-01-01, and at most a year ahead; the time of publishing when not given. It is the event's time in Klaviyo, where the data's own time is used when this is not given; what is old when it goes out triggers no flows there.",
  })
  occurredAt?: Date | null;

  @Field(() => Float, { nullable: true, description: "What it is worth, such as an order's total. Used for Klaviyo only." })
  value?: number | null;

  @Field(() => String, { nullable: true, description: 'The currency of value: three capital letters (ISO 4217), such as EUR.' })
  valueCurrency?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'Properties of your own, used for Klaviyo only and encrypted at rest: texts (at most 100,000 bytes), numbers, true or false. At most 200, of 256 KiB together; names have at most 100 characters. They go before those that the data becomes.',
  })
  properties?: Record<string, unknown> | null;
}

@InputType({ description: 'Events to publish together.' })
export class PublishEventsInput {
  @Field(() => [PublishEventInput], { description: '1 to 1,000 events; all are published, or none.' })
  events!: PublishEventInput[];
}

@InputType({ description: 'Which events to list.' })
export class EventFilter {
  @Field(() => String, { nullable: true, description: 'Only of this type.' })
  eventType?: string | null;

  @Field(() => String, { nullable: true, description: 'Only the one that was published with this key.' })
  idempotencyKey?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only published after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only published before this time.' })
  createdBefore?: Date | null;
}

@ObjectType({ description: 'An event that is stored, with a delivery for each active subscription.' })
class PublishedEvent {
  @Field(() => EventObject, { description: 'The event; the earlier one if it was a duplicate.' })
  event!: EventObject;

  @Field(() => Boolean, { description: 'True when it had been published before with this idempotency key.' })
  duplicate!: boolean;
}

export const PublishEventPayload = payloadType<{ event: EventObject; duplicate: boolean }>(
  'PublishEventPayload',
  'The published event, or what is wrong with the input.',
  {
    event: [() => EventObject, 'The event; null when there are userErrors.'],
    duplicate: [() => Boolean, 'True when it had been published before with this idempotency key.'],
  },
);
export type PublishEventPayload = InstanceType<typeof PublishEventPayload>;

export const PublishEventsPayload = payloadType<{ events: PublishedEvent[] }>(
  'PublishEventsPayload',
  'The published events in the order of the input, or what is wrong with it.',
  {
    events: [() => [PublishedEvent], 'One for each event of the input; null when there are userErrors.'],
  },
  'What a person can mend. Empty when all went well; otherwise nothing was published.',
);
export type PublishEventsPayload = InstanceType<typeof PublishEventsPayload>;
