import { GraphQLDateTime } from 'graphql-scalars';
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { broadcastTestEvent } from '../../delivery/broadcastTestEvent.js';
import { findDelivery, listDeliveries } from '../../delivery/listDeliveries.js';
import { retryDelivery } from '../../delivery/retryDelivery.js';
import { revealSigningSecret, rotateSigningSecret } from '../../delivery/signingSecrets.js';
import type { Attempt } from '../../domain/Attempt.js';
import type { Connection } from '../../domain/Connection.js';
import type { Delivery } from '../../domain/Delivery.js';
import type { Event } from '../../domain/Event.js';
import type { Organization } from '../../domain/Organization.js';
import { OrganizationObject } from '../access/organizationTypes.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import { EventObject } from '../events/eventTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { SubscriptionObject } from '../subscriptions/subscriptionTypes.js';
import { withUserErrors } from '../userErrors.js';
import {
  AttemptErrorObject,
  AttemptObject,
  BroadcastTestEventInput,
  BroadcastTestEventPayload,
  DeliveryFilter,
  DeliveryObject,
  DeliveryPage,
  DeliveryPayload,
  RetryDeliveryInput,
  SigningSecretInput,
  SigningSecretPayload,
} from './deliveryTypes.js';

@Resolver(() => DeliveryObject)
export class DeliveryResolver {
  @Query(() => DeliveryObject, { nullable: true, description: 'One delivery; null when it is not there or not yours.' })
  delivery(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<DeliveryObject | null> {
    return findDelivery(context.dependencies, context.caller('read'), id);
  }

  @Query(() => DeliveryPage, { description: 'What became of your events, newest first.' })
  deliveries(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listDeliveries(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => DeliveryPayload, {
    description: 'Tries a delivery again now, in place of its pending retry. Refused while it is in flight.',
  })
  retryDelivery(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => RetryDeliveryInput, { description: 'Which one.' }) input: RetryDeliveryInput,
  ): Promise<DeliveryPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ delivery: await retryDelivery(context.dependencies, caller, input) }));
  }

  @Mutation(() => BroadcastTestEventPayload, {
    description:
      "Sends a sample event to a subscription's destination and waits for the answer. Klaviyo records it as the metric “Switchboard Test”.",
  })
  broadcastTestEvent(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => BroadcastTestEventInput, { description: 'Whom to send a sample.' }) input: BroadcastTestEventInput,
  ): Promise<BroadcastTestEventPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ result: await broadcastTestEvent(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => EventObject, { description: 'What it delivers.' })
  event(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<EventObject | null> {
    return context.loaders.event.load(delivery.eventId);
  }

  @FieldResolver(() => SubscriptionObject, { nullable: true, description: 'What it was made for; null once that is deleted.' })
  subscription(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<SubscriptionObject | null> {
    return context.loaders.subscription.load(delivery.subscriptionId);
  }

  @FieldResolver(() => ConnectionObject, { nullable: true, description: 'Where it goes; null once that is deleted.' })
  connection(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> {
    return context.loaders.connection.load(delivery.connectionId);
  }

  @FieldResolver(() => [AttemptObject], { description: 'Every try so far, oldest first.' })
  attempts(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<AttemptObject[]> {
    return context.loaders.attempts.load(delivery.id);
  }

  @FieldResolver(() => GraphQLDateTime, {
    nullable: true,
    description: 'When it is tried next; null when it is not going to be, or waits for its connection or for one before it.',
  })
  nextAttemptAt(@Root() { status, dueAt }: Delivery): Date | null {
    // Behind another of its ordering key, it is due at no time yet.
    return (status === 'pending' || status === 'retrying') && Number.isFinite(new Date(dueAt).getTime()) ? dueAt : null;
  }
}

@Resolver(() => AttemptObject)
export class AttemptErrorResolver {
  @FieldResolver(() => AttemptErrorObject, { nullable: true, description: 'Why it did not work; null when it did.' })
  error(@Root() { errorCode, errorMessage }: Attempt): AttemptErrorObject | null {
    return errorCode ? { code: errorCode, message: errorMessage ?? '' } : null;
  }
}

const OLDEST_WAITING =
  'When the oldest PENDING or RETRYING delivery was published, or last retried by hand; null when none waits. Of thousands, it may name a younger one.';

@Resolver(() => ConnectionObject)
export class ConnectionDeliveriesResolver {
  @FieldResolver(() => GraphQLDateTime, { nullable: true, description: OLDEST_WAITING })
  async oldestWaiting(@Root() { id }: Connection, @Ctx() { loaders }: GraphQLContext): Promise<Date | null> {
    return (await loaders.oldestWaiting.load(id))?.since ?? null;
  }

  @FieldResolver(() => DeliveryPage, { description: 'What went, or shall go, there; newest first.' })
  deliveries(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    const parent = { connectionId: connection.id };
    return context.page(() => listDeliveries(context.dependencies, caller, page, filter ?? {}, parent));
  }
}

@Resolver(() => OrganizationObject)
export class OrganizationDeliveriesResolver {
  @FieldResolver(() => GraphQLDateTime, {
    nullable: true,
    description: `${OLDEST_WAITING} Of a session of one connection, there.`,
  })
  async oldestWaiting(@Root() { id }: Organization, @Ctx() { loaders }: GraphQLContext): Promise<Date | null> {
    return (await loaders.oldestWaitingOf.load(id))?.since ?? null;
  }
}

@Resolver(() => EventObject)
export class EventDeliveriesResolver {
  @FieldResolver(() => DeliveryPage, { description: 'What became of it: one for each subscription that was active.' })
  deliveries(
    @Root() event: Pick<Event, 'id'>,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    const parent = { eventId: event.id };
    return context.page(() => listDeliveries(context.dependencies, caller, page, filter ?? {}, parent));
  }
}

@Resolver()
export class SigningSecretResolver {
  @Mutation(() => SigningSecretPayload, {
    description: 'Shows the secret with which a receiver verifies deliveries (Standard Webhooks). Needs ADMIN.',
  })
  revealSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'Of which connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => revealSigningSecret(context.dependencies, caller, input));
  }

  @Mutation(() => SigningSecretPayload, {
    description: 'Makes a new secret; the one before signs as well for 24 hours. Needs ADMIN.',
  })
  rotateSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'Of which connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => rotateSigningSecret(context.dependencies, caller, input));
  }
}
