import { GraphQLDateTime } from 'graphql-scalars';
import { Field, Int, ObjectType } from 'type-graphql';
import type { AttemptTrigger } from '../../domain/Attempt.js';
import { AttemptTriggerEnum } from './deliveryEnums.js';

@ObjectType('AttemptError', { description: 'Why an attempt did not work.' })
export class AttemptErrorObject {
  @Field(() => String, { description: 'Stable; made for programs.' })
  code!: string;

  @Field(() => String, { description: 'The same in a sentence.' })
  message!: string;
}

@ObjectType('Attempt', { description: 'One HTTP try of a delivery.' })
export class AttemptObject {
  @Field(() => Int, { description: '1 for the first.' })
  number!: number;

  @Field(() => AttemptTriggerEnum, { description: 'Who wanted it.' })
  trigger!: AttemptTrigger;

  @Field(() => Int, { nullable: true, description: 'The HTTP status; null when no answer came.' })
  statusCode?: number | null;

  @Field(() => String, { nullable: true, description: 'The first 16 KiB of the answer.' })
  responseBody?: string | null;

  @Field(() => Int, { description: 'From beginning to end, in milliseconds.' })
  durationMs!: number;

  @Field(() => GraphQLDateTime, { description: 'When it began.' })
  startedAt!: Date;
}
