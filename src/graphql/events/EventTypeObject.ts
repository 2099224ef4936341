import { GraphQLJSONObject } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';

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
