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
  @Query(() => SubscriptionObject, {
    nullable: true,
    description: 'Returns a subscription, or null when it does not exist or is not yours. Give exactly one of the arguments.',
  })
  subscription(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'Id of the subscription.' })
    id?: string | null,
    @Arg('externalId', () => String, { nullable: true, description: 'The externalId of the subscription.' }) externalId?:
      | string
      | null,
  ): Promise<SubscriptionObject | null> {
    const { dependencies } = context;
    const caller = context.caller('read');
    return lookUp(
      { id, externalId },
      (ours) => findSubscription(dependencies, caller, ours),
      (theirs) => findSubscriptionByExternalId(dependencies, caller, theirs),
    );
  }

  @Query(() => SubscriptionPage, { description: 'The subscriptions of the organization, newest first.' })
  subscriptions(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SubscriptionFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: SubscriptionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listSubscriptions(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => SubscriptionPayload, {
    description: 'Creates a subscription. A connection can have one subscription for each event type.',
  })
  createSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateSubscriptionInput, { description: 'The connection and the event type.' })
    input: CreateSubscriptionInput,
  ): Promise<SubscriptionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ subscription: await createSubscription(context.dependencies, caller, input) }));
  }

  @Mutation(() => SubscriptionPayload, { description: 'Changes a subscription. Absent fields stay as they are.' })
  updateSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => UpdateSubscriptionInput, { description: 'The subscription, and the fields to change.' })
    input: UpdateSubscriptionInput,
  ): Promise<SubscriptionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ subscription: await updateSubscription(context.dependencies, caller, input) }));
  }

  @Mutation(() => DeletePayload, {
    description: 'Deletes a subscription. Its deliveries stay; those that wait are cancelled.',
  })
  deleteSubscription(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteSubscriptionInput, { description: 'The subscription to delete.' }) input: DeleteSubscriptionInput,
  ): Promise<DeletePayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ deletedId: await deleteSubscription(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => ConnectionObject, { description: 'The connection that gets the events.' })
  connection(@Root() subscription: Subscription, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> {
    return context.loaders.connection.load(subscription.connectionId);
  }
}

@Resolver(() => ConnectionObject)
export class ConnectionSubscriptionsResolver {
  @FieldResolver(() => SubscriptionPage, { description: 'The subscriptions of this connection, newest first.' })
  subscriptions(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => SubscriptionFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: SubscriptionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.pageOf('Connection.subscriptions', page, filter ?? {}, connection.id, (ids) =>
      listSubscriptionsOf(context.dependencies, caller, page, filter ?? {}, ids),
    );
  }
}
