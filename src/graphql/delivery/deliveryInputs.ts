import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType } from 'type-graphql';
import type { DeliveryStatus } from '../../domain/Delivery.js';
import { RecipientInput } from '../events/eventInputs.js';
import { DeliveryStatusEnum } from './deliveryEnums.js';

@InputType({ description: 'Which deliveries to list.' })
export class DeliveryFilter {
  @Field(() => DeliveryStatusEnum, { nullable: true, description: 'Only in this status.' })
  status?: DeliveryStatus | null;

  @Field(() => ID, { nullable: true, description: 'Only to this connection.' })
  connectionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only for this subscription.' })
  subscriptionId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only of this event.' })
  eventId?: string | null;

  @Field(() => String, { nullable: true, description: 'Only of events of this type.' })
  eventType?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only created after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only created before this time.' })
  createdBefore?: Date | null;
}

@InputType({ description: 'Which delivery to try again.' })
export class RetryDeliveryInput {
  @Field(() => ID, { description: 'The delivery.' })
  deliveryId!: string;
}

@InputType({ description: 'Which deliveries to try again: those to which all of this applies.' })
export class ReplayDeliveriesInput {
  @Field(() => ID, { description: 'Those to this connection.' })
  connectionId!: string;

  @Field(() => GraphQLDateTime, { description: 'Those created since this time.' })
  since!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Those created until this time; until now when not given.' })
  until?: Date | null;

  @Field(() => [DeliveryStatusEnum], {
    nullable: true,
    description: 'Those in one of these statuses: FAILED, RETRYING, CANCELLED, EXPIRED, DELIVERED. FAILED when not given.',
  })
  statuses?: DeliveryStatus[] | null;

  @Field(() => String, { nullable: true, description: 'Those of events of this type.' })
  eventType?: string | null;

  @Field(() => ID, { nullable: true, description: 'Those for this subscription.' })
  subscriptionId?: string | null;
}

@InputType({ description: 'Which subscription to test.' })
export class BroadcastTestEventInput {
  @Field(() => ID, { description: 'The subscription; it may be paused.' })
  subscriptionId!: string;

  @Field(() => RecipientInput, {
    nullable: true,
    description: 'Whom the sample is about, for Klaviyo: your own address, say. Nobody real when not given.',
  })
  recipient?: RecipientInput | null;
}

@InputType({ description: 'Whose signing secret.' })
export class SigningSecretInput {
  @Field(() => ID, { description: 'A WEBHOOK connection.' })
  connectionId!: string;
}
