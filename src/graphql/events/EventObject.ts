import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';

@ObjectType('Event', { description: 'Something that happened to a parcel, as it was published. Never changes.' })
export class EventObject {
  @Field(() => ID, { description: 'Unique identifier; ids grow with time.' })
  id!: string;

  @Field(() => String, { description: 'What kind of event it is.' })
  eventType!: string;

  @Field(() => String, { nullable: true, description: "The publisher's own name for it." })
  idempotencyKey?: string | null;

  @Field(() => String, { nullable: true, description: 'Events of one key reach each connection in the order of publishing.' })
  orderingKey?: string | null;

  @Field(() => GraphQLDateTime, { description: 'When it was published.' })
  createdAt!: Date;
}
