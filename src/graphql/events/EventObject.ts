import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Float, ID, ObjectType } from 'type-graphql';

@ObjectType('Event', { description: 'Something that happened to a parcel, as it was published. Never changes.' })
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
}
