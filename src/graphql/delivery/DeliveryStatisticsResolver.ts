import { GraphQLDateTime } from 'graphql-scalars';
import { Arg, Ctx, Field, Float, ID, Int, ObjectType, Query, Resolver } from 'type-graphql';
import { findDeliveryStatistics } from '../../delivery/deliveryStatistics.js';
import type { GraphQLContext } from '../GraphQLContext.js';

const DELIVERED = 'Deliveries that became DELIVERED.';
const FAILED = 'Deliveries that became FAILED.';
const RETRIED = 'Attempts that failed and are followed by another.';
const P50 =
  'Half of what was delivered took at most these milliseconds, from publishing (or the last retryDelivery or replayDeliveries) to the answer, pauses between attempts included. Accurate to about a tenth; null when nothing was delivered.';
const P95 = 'The same for 95 of 100.';

@ObjectType('DeliveryStatisticsInterval', { description: 'What was attempted in one interval.' })
class DeliveryStatisticsIntervalObject {
  @Field(() => GraphQLDateTime, { description: 'When it begins.' })
  start!: Date;

  @Field(() => Float, { description: DELIVERED })
  delivered!: number;

  @Field(() => Float, { description: FAILED })
  failed!: number;

  @Field(() => Float, { description: RETRIED })
  retried!: number;

  @Field(() => Float, { nullable: true, description: P50 })
  p50Ms!: number | null;

  @Field(() => Float, { nullable: true, description: P95 })
  p95Ms!: number | null;
}

@ObjectType('DeliveryStatistics', {
  description:
    'How deliveries went in a range of time. Counted while they are made and added every few seconds, so the last seconds are missing at first; a process that is killed loses them. Test broadcasts do not count.',
})
class DeliveryStatisticsObject {
  @Field(() => GraphQLDateTime, { description: 'Start of the first interval: the beginning of the range, rounded down.' })
  from!: Date;

  @Field(() => GraphQLDateTime, { description: 'End of the last interval: the end of the range, rounded up.' })
  until!: Date;

  @Field(() => Int, {
    description:
      'Length of an interval: 60, 300, 900, 3600 or 21600, so that there are about 180 at most. At least 3600 for a range that begins more than 47 hours ago.',
  })
  intervalSeconds!: number;

  @Field(() => Float, { description: DELIVERED })
  delivered!: number;

  @Field(() => Float, { description: FAILED })
  failed!: number;

  @Field(() => Float, { description: RETRIED })
  retried!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The share of DELIVERED in what became DELIVERED or FAILED, from 0 to 1; null when nothing did.',
  })
  successRate!: number | null;

  @Field(() => Float, { nullable: true, description: P50 })
  p50Ms!: number | null;

  @Field(() => Float, { nullable: true, description: P95 })
  p95Ms!: number | null;

  @Field(() => [DeliveryStatisticsIntervalObject], {
    description: 'All intervals of the range, oldest first, also those in which nothing was attempted.',
  })
  intervals!: readonly DeliveryStatisticsIntervalObject[];
}

@Resolver()
export class DeliveryStatisticsResolver {
  @Query(() => DeliveryStatisticsObject, {
    description: 'How deliveries went in a range of time, as numbers for charts. They are kept for 31 days.',
  })
  deliveryStatistics(
    @Ctx() context: GraphQLContext,
    @Arg('from', () => GraphQLDateTime, { description: 'Beginning of the range, which is 31 days long at most.' }) from: Date,
    @Arg('until', () => GraphQLDateTime, { nullable: true, description: 'End of the range; now when not given, or later.' })
    until?: Date | null,
    @Arg('connectionId', () => ID, { nullable: true, description: 'Only deliveries to this connection; all when not given.' })
    connectionId?: string | null,
  ): Promise<DeliveryStatisticsObject> {
    const caller = context.caller('read');
    const { dependencies, budget } = context;
    return budget.read(
      () => findDeliveryStatistics(dependencies, caller, { from, until, connectionId }),
      ({ intervals }) => intervals.length,
    );
  }
}
