import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { DeliveryStatus } from '../../domain/Delivery.js';
import { DeliveryStatusEnum } from './deliveryEnums.js';

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
