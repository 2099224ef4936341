import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { listDeliveries } from '../../delivery/listDeliveries.js';
import type { Connection } from '../../domain/Connection.js';
import type { Event } from '../../domain/Event.js';
import { ConnectionObject } from '../connections/ConnectionObject.js';
import { EventObject } from '../events/EventObject.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination/PageArgs.js';
import { DeliveryPage } from './DeliveryPage.js';
import { DeliveryFilter } from './deliveryInputs.js';

@Resolver(() => ConnectionObject)
export class ConnectionDeliveriesResolver {
  @FieldResolver(() => DeliveryPage, { description: 'What went, or shall go, there; newest first.' })
  deliveries(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeliveryFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: DeliveryFilter | null,
  ): Promise<object> {
    const ofThis = { ...filter, connectionId: String(connection.id) };
    const caller = context.caller('read');
    return context.page(() => listDeliveries(context.dependencies, caller, page, ofThis));
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
    return context.page(() => listDeliveries(context.dependencies, caller, page, { ...filter, eventId: event.id }));
  }
}
