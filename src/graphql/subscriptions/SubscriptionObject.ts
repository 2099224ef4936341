import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';

@ObjectType('Subscription', { description: 'Which events go to a connection.' })
export class SubscriptionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { description: 'The event type that it routes; eventTypes lists them.' })
  eventType!: string;

  @Field(() => Boolean, { description: 'False while paused: new events make no deliveries for it.' })
  isActive!: boolean;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it was last changed.' })
  updatedAt!: Date;
}
