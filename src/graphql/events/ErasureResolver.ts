import { GraphQLDateTime, GraphQLEmailAddress, GraphQLPhoneNumber } from 'graphql-scalars';
import { Arg, Ctx, Field, Float, ID, InputType, Mutation, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import { type Erasure, eraseRecipient, findErasure } from '../../events/eraseRecipient.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { UserErrorObject, withUserErrors } from '../userErrors.js';

const ErasureStatusEnum = { RUNNING: 'running', COMPLETED: 'completed' } as const;
registerEnumType(ErasureStatusEnum, {
  name: 'ErasureStatus',
  description: 'Current status of an erasure.',
  valuesConfig: {
    RUNNING: { description: 'More events are being searched.' },
    COMPLETED: { description: 'All data of the person was erased.' },
  },
});

@ObjectType('Erasure', { description: "Progress of the erasure of a person's data. The identity of the person is not kept." })
class ErasureObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => ErasureStatusEnum, { description: 'Current status.' })
  status!: Erasure['status'];

  @Field(() => Float, { description: 'Number of events searched so far.' })
  eventsLookedAt!: number;

  @Field(() => Float, { description: 'Number of events about the person, whose data was erased.' })
  eventsErased!: number;

  @Field(() => Float, { description: 'Number of waiting deliveries that were cancelled.' })
  deliveriesCancelled!: number;

  @Field(() => GraphQLDateTime, { description: 'When the erasure was requested.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the erasure was completed; null until then.' })
  finishedAt?: Date | null;
}

@InputType({
  description: 'The person whose data to erase: everyone who has one of these identifiers. At least one is required.',
})
class EraseRecipientInput {
  @Field(() => GraphQLEmailAddress, {
    nullable: true,
    description: 'Email address, which is also searched in data and properties.',
  })
  email?: string | null;

  @Field(() => GraphQLPhoneNumber, {
    nullable: true,
    description: 'Telephone number in E.164 form, which is also searched in data and properties.',
  })
  phoneNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'The externalId of recipients.' })
  externalId?: string | null;

  @Field(() => String, { nullable: true, description: 'The anonymousId of recipients.' })
  anonymousId?: string | null;
}

@ObjectType({ description: 'The erasure, or the problems of the input.' })
class EraseRecipientPayload {
  @Field(() => ErasureObject, {
    nullable: true,
    description: 'The erasure, whose progress the query erasure returns. Null when there are userErrors.',
  })
  erasure?: ErasureObject | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];
}

@Resolver()
export class ErasureResolver {
  @Mutation(() => EraseRecipientPayload, {
    description:
      'Erases the data of one person everywhere in the organization, in the background. The events and deliveries stay without the data; waiting deliveries are cancelled. Requires ADMIN.',
  })
  eraseRecipient(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => EraseRecipientInput, { description: 'The person.' }) input: EraseRecipientInput,
  ): Promise<EraseRecipientPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ erasure: await eraseRecipient(context.dependencies, caller, input) }));
  }

  @Query(() => ErasureObject, {
    nullable: true,
    description: 'Returns an erasure, or null when it does not exist or is not yours. Requires ADMIN.',
  })
  erasure(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Id of the erasure.' }) id: string,
  ): Promise<ErasureObject | null> {
    return findErasure(context.dependencies, context.caller('admin'), id);
  }
}
