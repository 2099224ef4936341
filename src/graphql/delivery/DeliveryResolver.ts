import { GraphQLDateTime } from 'graphql-scalars';
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { broadcastTestEvent } from '../../delivery/broadcastTestEvent.js';
import { findDelivery, listDeliveries, listDeliveriesOf } from '../../delivery/listDeliveries.js';
import { retryDelivery } from '../../delivery/retryDelivery.js';
import { revealSigningSecret, rotateSigningSecret } from '../../delivery/signingSecrets.js';
import type { Attempt } from '../../domain/Attempt.js';
import type { Connection } from '../../domain/Connection.js';
import type { Delivery } from '../../domain/Delivery.js';
import type { Event } from '../../domain/Event.js';
import type { Organization } from '../../domain/Organization.js';
import { OrganizationObject } from '../access/organizationTypes.js';
import { ConnectionObject } from '../connections/connectionTypes.js';
import { attemptErrorCodes } from '../errorCodes.js';
import { EventObject } from '../events/eventTypes.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { SubscriptionObject } from '../subscriptions/subscriptionTypes.js';
import { withOwnId, withUserErrors } from '../userErrors.js';
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
  @Query(() => DeliveryObject, {
    nullable: true,
    description: 'Returns a delivery, or null when it does not exist or is not yours.',
  })
  delivery(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Id of the delivery.' }) id: string,
  ): Promise<DeliveryObject | null> {
    return findDelivery(context.dependencies, context.caller('read'), id);
  }

  @Query(() => DeliveryPage, { description: 'The deliveries of the organization, newest first.' })
  deliveries(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listDeliveries(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => DeliveryPayload, {
    description: 'Retries a delivery now, in place of its pending retry. It is refused while an attempt is being made.',
  })
  retryDelivery(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => RetryDeliveryInput, { description: 'The delivery to retry.' }) input: RetryDeliveryInput,
  ): Promise<DeliveryPayload> {
    const caller = context.caller('manage');
    return withUserErrors(() =>
      withOwnId(input, 'deliveryId', async (deliveryId) => ({
        delivery: await retryDelivery(context.dependencies, caller, { deliveryId }),
      })),
    );
  }

  @Mutation(() => BroadcastTestEventPayload, {
    description:
      'Sends a sample event to the destination of a subscription and waits for the response. Klaviyo records it as the metric “Switchboard Test”.',
  })
  broadcastTestEvent(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => BroadcastTestEventInput, { description: 'The subscription, and the recipient of the sample.' })
    input: BroadcastTestEventInput,
  ): Promise<BroadcastTestEventPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ result: await broadcastTestEvent(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => EventObject, { description: 'The event.' })
  event(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<EventObject | null> {
    return context.loaders.event.load(delivery.eventId);
  }

  @FieldResolver(() => SubscriptionObject, { nullable: true, description: 'The subscription; null once it is deleted.' })
  subscription(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<SubscriptionObject | null> {
    return context.loaders.subscription.load(delivery.subscriptionId);
  }

  @FieldResolver(() => ConnectionObject, { nullable: true, description: 'The connection; null once it is deleted.' })
  connection(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<ConnectionObject | null> {
    return context.loaders.connection.load(delivery.connectionId);
  }

  @FieldResolver(() => [AttemptObject], { description: 'All attempts so far, oldest first.' })
  attempts(@Root() delivery: Delivery, @Ctx() context: GraphQLContext): Promise<AttemptObject[]> {
    return context.loaders.attempts.load(delivery.id);
  }

  @FieldResolver(() => GraphQLDateTime, {
    nullable: true,
    description:
      'When the next attempt is due; null when none is planned, and while the delivery waits for its connection or for an earlier delivery of its ordering key.',
  })
  nextAttemptAt(@Root() { status, dueAt }: Delivery): Date | null {
    // A delivery behind another one of its ordering key has an infinite due time.
    return (status === 'pending' || status === 'retrying') && Number.isFinite(new Date(dueAt).getTime()) ? dueAt : null;
  }
}

@Resolver(() => AttemptObject)
export class AttemptResolver {
  @FieldResolver(() => AttemptErrorObject, { nullable: true, description: 'Why the attempt failed; null when it succeeded.' })
  error(@Root() { errorCode, errorMessage }: Attempt): AttemptErrorObject | null {
    return errorCode ? { code: errorCode, message: errorMessage ?? '' } : null;
  }
}

@Resolver(() => AttemptErrorObject)
export class AttemptErrorResolver {
  @FieldResolver(() => attemptErrorCodes.type, { description: 'Why the attempt failed, for programs.' })
  code(@Root() { code }: AttemptErrorObject): string {
    return attemptErrorCodes.of(code);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "The destination's own code when code is OTHER; null otherwise.",
  })
  destinationCode(@Root() { code }: AttemptErrorObject): string | null {
    return attemptErrorCodes.other(code);
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

  @FieldResolver(() => DeliveryPage, { description: 'The deliveries to this connection, newest first.' })
  deliveries(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.pageOf('Connection.deliveries', page, filter ?? {}, connection.id, (ids) => {
      const parents = ids.map((connectionId) => ({ connectionId }));
      return listDeliveriesOf(context.dependencies, caller, page, filter ?? {}, parents);
    });
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
  @FieldResolver(() => DeliveryPage, { description: 'The deliveries of this event: one for each subscription that was active.' })
  deliveries(
    @Root() event: Pick<Event, 'id'>,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.pageOf('Event.deliveries', page, filter ?? {}, event.id, (ids) => {
      const parents = ids.map((eventId) => ({ eventId }));
      return listDeliveriesOf(context.dependencies, caller, page, filter ?? {}, parents);
    });
  }
}

@Resolver()
export class SigningSecretResolver {
  @Mutation(() => SigningSecretPayload, {
    description: 'Returns the secret with which a receiver verifies deliveries (Standard Webhooks). Requires ADMIN.',
  })
  revealSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'The connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => revealSigningSecret(context.dependencies, caller, input));
  }

  @Mutation(() => SigningSecretPayload, {
    description: 'Creates a new secret. The previous secret also signs for 24 hours. Requires ADMIN.',
  })
  rotateSigningSecret(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => SigningSecretInput, { description: 'The connection.' }) input: SigningSecretInput,
  ): Promise<SigningSecretPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => rotateSigningSecret(context.dependencies, caller, input));
  }
}
