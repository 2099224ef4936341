import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Int, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { AttemptErrorObject } from './AttemptObject.js';
import { DeliveryObject } from './DeliveryObject.js';

@ObjectType({ description: 'The delivery after a change, or what is wrong with the input.' })
export class DeliveryPayload {
  @Field(() => DeliveryObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  delivery?: DeliveryObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'How many deliveries are tried again, or what is wrong with the input.' })
export class ReplayDeliveriesPayload {
  @Field(() => Int, { nullable: true, description: 'How many are on their way again; null when there are userErrors.' })
  count?: number | null;

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
