import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { ReplayProgress } from '../../delivery/replayDeliveries.js';
import { UserErrorObject } from '../errors/UserError.js';
import { AttemptErrorObject } from './AttemptObject.js';
import { DeliveryObject } from './DeliveryObject.js';
import { ReplayStatusEnum } from './deliveryEnums.js';

@ObjectType({ description: 'The delivery after a change, or what is wrong with the input.' })
export class DeliveryPayload {
  @Field(() => DeliveryObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  delivery?: DeliveryObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType('Replay', { description: 'Deliveries that are tried again, and how many of them are on their way.' })
export class ReplayObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => ReplayStatusEnum, { description: 'Current status.' })
  status!: ReplayProgress['status'];

  @Field(() => Int, { description: 'How many are on their way again so far.' })
  count!: number;

  @Field(() => GraphQLDateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When all of them were on their way; null until then.' })
  finishedAt?: Date | null;
}

@ObjectType({ description: 'How many deliveries are tried again, or what is wrong with the input.' })
export class ReplayDeliveriesPayload {
  @Field(() => Int, {
    nullable: true,
    description: 'How many are on their way again so far; null when there are userErrors. All, once the replay is COMPLETED.',
  })
  count?: number | null;

  @Field(() => ReplayObject, {
    nullable: true,
    description: 'Its progress, to be asked for by id; null when there are userErrors.',
  })
  replay?: ReplayObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'How a test broadcast went (OpenAPI broadcast-result).' })
export class BroadcastResult {
  @Field(() => Boolean, { description: 'True when the destination took it.' })
  success!: boolean;

  @Field(() => Int, { nullable: true, description: 'The HTTP status; null when no answer came.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the answer.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'From beginning to end, in milliseconds.' })
  durationMs!: number;

  @Field(() => AttemptErrorObject, { nullable: true, description: 'Why it did not work; null when it did.' })
  error?: AttemptErrorObject | null;
}

@ObjectType({ description: 'How the test went, or what is wrong with the input.' })
export class BroadcastTestEventPayload {
  @Field(() => BroadcastResult, { nullable: true, description: 'What the destination answered; null when there are userErrors.' })
  result?: BroadcastResult | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'The secret that signs deliveries (Standard Webhooks), or what is wrong with the input.' })
export class SigningSecretPayload {
  @Field(() => String, { nullable: true, description: '`whsec_` and base64; null when there are userErrors.' })
  signingSecret?: string | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Until when the secret before this one signs as well; null without one.',
  })
  previousSecretExpiresAt?: Date | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
