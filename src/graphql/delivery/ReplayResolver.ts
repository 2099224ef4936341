import { GraphQLDateTime } from 'graphql-scalars';
import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import { replayDeliveries } from '../../delivery/replayDeliveries.js';
import { findReplay, listReplays, type ReplayProgress, stopReplay } from '../../delivery/replays.js';
import type { DeliveryStatus } from '../../domain/Delivery.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs, pageTypes } from '../pagination.js';
import { payloadType, withUserErrors } from '../userErrors.js';
import { DeliveryStatusEnum } from './deliveryTypes.js';

const ReplayStatusEnum = { RUNNING: 'running', COMPLETED: 'completed', CANCELLED: 'cancelled' } as const;
registerEnumType(ReplayStatusEnum, {
  name: 'ReplayStatus',
  description: 'Current status of a replay.',
  valuesConfig: {
    RUNNING: { description: 'More deliveries are being put on their way.' },
    COMPLETED: { description: 'All of them are on their way again.' },
    CANCELLED: { description: 'It was stopped; what was on its way by then goes on.' },
  },
});

@ObjectType('Replay', { description: 'Deliveries that are tried again, and how many of them are on their way.' })
class ReplayObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => ReplayStatusEnum, { description: 'Current status.' })
  status!: ReplayProgress['status'];

  @Field(() => Int, { description: 'How many are on their way again so far.' })
  count!: number;

  @Field(() => GraphQLDateTime, { description: 'Those created since this time.' })
  since!: Date;

  @Field(() => GraphQLDateTime, { description: 'Those created until this time.' })
  until!: Date;

  @Field(() => [DeliveryStatusEnum], { description: 'Those in one of these statuses.' })
  statuses!: readonly DeliveryStatus[] | readonly string[];

  @Field(() => GraphQLDateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When all of them were on their way, or it was stopped; null until then.',
  })
  finishedAt?: Date | null;
}

const ReplayPage = pageTypes('Replay', 'replays', () => ReplayObject);

@InputType({ description: 'Which replays to list.' })
class ReplayFilter {
  @Field(() => ID, { nullable: true, description: 'Only those to this connection.' })
  connectionId?: string | null;
}

@InputType({ description: 'Which deliveries to try again: those to which all of this applies.' })
class ReplayDeliveriesInput {
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

@InputType({ description: 'Which replay to stop.' })
class StopReplayInput {
  @Field(() => ID, { description: 'The replay.' })
  id!: string;
}

const ReplayDeliveriesPayload = payloadType<{ count: number; replay: ReplayObject }>(
  'ReplayDeliveriesPayload',
  'How many deliveries are tried again, or what is wrong with the input.',
  {
    count: [
      () => Int,
      'How many are on their way again so far; null when there are userErrors. All, once the replay is COMPLETED.',
    ],
    replay: [() => ReplayObject, 'Its progress, to be asked for by id; null when there are userErrors.'],
  },
);
type ReplayDeliveriesPayload = InstanceType<typeof ReplayDeliveriesPayload>;

const ReplayPayload = payloadType<{ replay: ReplayObject }>(
  'ReplayPayload',
  'The replay after a change, or what is wrong with the input.',
  { replay: [() => ReplayObject, 'As it is now; null when there are userErrors.'] },
);
type ReplayPayload = InstanceType<typeof ReplayPayload>;

@Resolver(() => ReplayObject)
export class ReplayResolver {
  @Mutation(() => ReplayDeliveriesPayload, {
    description:
      'Tries deliveries to a connection again, in their order: those that FAILED since a time, or to which a filter applies.',
  })
  replayDeliveries(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => ReplayDeliveriesInput, { description: 'Of which connection, since when, and which of them.' })
    input: ReplayDeliveriesInput,
  ): Promise<ReplayDeliveriesPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => {
      const replay = await replayDeliveries(context.dependencies, caller, input);
      return { count: replay.count, replay };
    });
  }

  @Mutation(() => ReplayPayload, {
    description:
      'Stops a replay: no more deliveries are put on their way, and those that are go on. Changes nothing when it has ended.',
  })
  stopReplay(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => StopReplayInput, { description: 'Which one.' }) input: StopReplayInput,
  ): Promise<ReplayPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ replay: await stopReplay(context.dependencies, caller, input) }));
  }

  @Query(() => ReplayObject, { nullable: true, description: 'How a replay fares; null when it is not there or not yours.' })
  replay(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<ReplayObject | null> {
    return findReplay(context.dependencies, context.caller('read'), id);
  }

  @Query(() => ReplayPage, { description: 'Your replays, newest first. They are kept as long as their deliveries.' })
  replays(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ReplayFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: ReplayFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listReplays(context.dependencies, caller, page, filter ?? {}));
  }

  @FieldResolver(() => ConnectionObject, { nullable: true, description: 'Where they go; null once that is deleted.' })
  connection(@Root() replay: ReplayProgress, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> {
    return context.loaders.connection.load(replay.connectionId);
  }
}
