import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ConnectionStatus, ConnectionType } from '../../domain/Connection.js';
import { ConnectionStatusEnum, ConnectionTypeEnum } from './connectionEnums.js';

@ObjectType('Connection', { description: "Where events go: a webhook, or a merchant's Klaviyo account." })
export class ConnectionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => ConnectionTypeEnum, { description: 'What kind of place it is. Never changes.' })
  type!: ConnectionType;

  @Field(() => String, { nullable: true, description: 'What people call it.' })
  name?: string | null;

  @Field(() => ConnectionStatusEnum, { description: 'Whether events can go out.' })
  status!: ConnectionStatus;

  @Field(() => String, { nullable: true, description: 'Why it is not active, in a sentence; null when it is.' })
  statusReason?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Deliveries that may be under way there at once, over all processes, from 1 to 1,000; null: what the server allows.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Deliveries that may go there in a second, over all processes, from 1 to 10,000; null: no limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When its configuration or status last changed.' })
  updatedAt!: Date;
}
