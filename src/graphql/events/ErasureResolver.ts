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
    RUNNING: { description: 'More events are being looked at.' },
    COMPLETED: { description: 'Nothing of the person is left.' },
  },
});

@ObjectType('Erasure', { description: "How far the erasure of a person's data is. Whose it was is not kept." })
class ErasureObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => ErasureStatusEnum, { description: 'Current status.' })
  status!: Erasure['status'];

  @Field(() => Float, { description: 'Events that were looked at so far.' })
  eventsLookedAt!: number;

  @Field(() => Float, { description: 'Of these, those that were about the person, and are erased.' })
  eventsErased!: number;

  @Field(() => Float, { description: 'Deliveries that still waited, and were cancelled.' })
  deliveriesCancelled!: number;

  @Field(() => GraphQLDateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When all was erased; null until then.' })
  finishedAt?: Date | null;
}

@InputType({ description: 'Whose data to erase: whoever has one of these. At least one.' })
class EraseRecipientInput {
  @Field(() => GraphQLEmailAddress, { nullable: true, description: 'Also where it stands in data or properties.' })
  email?: string | null;

  @Field(() => GraphQLPhoneNumber, {
    nullable: true,
    description: 'In E.164 form; also where it stands so in data or properties.',
  })
  phoneNumber?: string | null;

  @Field(() => String, { nullable: true, description: 'Your own id of the person, as recipients had it.' })
  externalId?: string | null;

  @Field(() => String, { nullable: true, description: 'The id by which recipients had somebody whom nobody knew.' })
  anonymousId?: string | null;
}

@ObjectType({ description: 'The erasure that has begun, or what is wrong with the input.' })
class EraseRecipientPayload {
  @Field(() => ErasureObject, {
    nullable: true,
    description: 'Its progress, to be asked for by id; null when there are userErrors.',
  })
  erasure?: ErasureObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@Resolver()
export class ErasureResolver {
  @Mutation(() => EraseRecipientPayload, {
    description:
      "Erases one person's data everywhere in the organization, in the background. Events and deliveries stay as facts, without it; what still waits to be sent is cancelled. Needs ADMIN.",
  })
  eraseRecipient(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => EraseRecipientInput, { description: 'Whose.' }) input: EraseRecipientInput,
  ): Promise<EraseRecipientPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ erasure: await eraseRecipient(context.dependencies, caller, input) }));
  }

  @Query(() => ErasureObject, {
    nullable: true,
    description: 'How an erasure fares; null when it is not there or not yours. Needs ADMIN.',
  })
  erasure(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<ErasureObject | null> {
    return findErasure(context.dependencies, context.caller('admin'), id);
  }
}
