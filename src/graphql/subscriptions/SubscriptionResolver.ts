import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Connection } from '../../domain/Connection.js';
import type { Subscription } from '../../domain/Subscription.js';
import { createSubscription } from '../../subscriptions/createSubscription.js';
import { deleteSubscription } from '../../subscriptions/deleteSubscription.js';
import {
  findSubscription,
  findSubscriptionByExternalId,
  listSubscriptions,
  listSubscriptionsOf,
} from '../../subscriptions/listSubscriptions.js';
import { updateSubscription } from '../../subscriptions/updateSubscription.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { lookUp } from '../lookUp.js';
import { PageArgs } from '../pagination.js';
import { DeletePayload, withUserErrors } from '../userErrors.js';
import {
  CreateSubscriptionInput,
  DeleteSubscriptionInput,
  SubscriptionFilter,
  SubscriptionObject,
  SubscriptionPage,
  SubscriptionPayload,
  UpdateSubscriptionInput,
} from './subscriptionTypes.js';

@Resolver(() => SubscriptionObject)
export class SubscriptionResolver {
  @Query(() => SubscriptionObject, { nullable: true, description: 'One subscription; null when it is not there or not yours.' })
  subscription(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'The one with this id. Give exactly one of the two.' })
    id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The one with this externalId.' }) externalId?: string | null,
  ): Promise<SubscriptionObject | null> {
    const { dependencies } = context;
    const caller = context.caller('read');
    return lookUp(
      { id, externalId },
      (ours) => findSubscription(dependencies, caller, ours),
      (theirs) => findSubscriptionByExternalId(dependencies, caller, theirs),
    );
  }

  @Query(() => SubscriptionPage, { description: 'Your subscriptions, newest first.' })
  subscriptions(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SubscriptionFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: SubscriptionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listSubscriptions(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => SubscriptionPayload, {
    description: 'Routes events of a type to a connection, which can have one subscription for each.',
  })
  createSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateSubscriptionInput, { description: 'Which events shall go where.' }) input: CreateSubscriptionInput,
  ): Promise<SubscriptionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ subscription: await createSubscription(context.dependencies, caller, input) }));
  }

  @Mutation(() => SubscriptionPayload, { description: 'Changes what is given and leaves the rest. isActive: false pauses it.' })
  updateSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => UpdateSubscriptionInput, { description: 'Which one, and only what changes.' })
    input: UpdateSubscriptionInput,
  ): Promise<SubscriptionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ subscription: await updateSubscription(context.dependencies, caller, input) }));
  }

  @Mutation(() => DeletePayload, {
    description: 'Deletes a subscription. What was delivered stays on record; what was not is cancelled.',
  })
  deleteSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteSubscriptionInput, { description: 'Which one.' }) input: DeleteSubscriptionInput,
  ): Promise<DeletePayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ deletedId: await deleteSubscription(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => ConnectionObject, { description: 'Where the events go.' })
  connection(@Root() subscription: Subscription, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> {
    return context.loaders.connection.load(subscription.connectionId);
  }
}

@Resolver(() => ConnectionObject)
export class ConnectionSubscriptionsResolver {
  @FieldResolver(() => SubscriptionPage, { description: 'What is routed to it, newest first.' })
  subscriptions(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SubscriptionFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: SubscriptionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.pageOf('Connection.subscriptions', page, filter ?? {}, connection.id, (ids) =>
      listSubscriptionsOf(context.dependencies, caller, page, filter ?? {}, ids),
    );
  }
}
