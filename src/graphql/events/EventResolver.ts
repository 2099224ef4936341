import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Event } from '../../domain/Event.js';
import { findEvent, listEvents } from '../../events/listEvents.js';
import { publishEvent, publishEvents } from '../../events/publishEvents.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs, pageTypes } from '../pagination.js';
import { withUserErrors } from '../userErrors.js';
import {
  EventFilter,
  EventObject,
  EventTypeObject,
  PublishEventInput,
  PublishEventPayload,
  PublishEventsInput,
  PublishEventsPayload,
} from './eventTypes.js';

const EventPage = pageTypes('Event', 'events', () => EventObject);

@Resolver(() => EventObject)
export class EventResolver {
  @Query(() => EventObject, { nullable: true, description: 'Returns an event, or null when it does not exist or is not yours.' })
  event(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Id of the event.' }) id: string,
  ): Promise<EventObject | null> {
    return findEvent(context.dependencies, context.caller('read'), id);
  }

  @Query(() => EventPage, { description: 'The events of the organization, newest first.' })
  events(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => EventFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: EventFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listEvents(context.dependencies, caller, page, filter ?? {}));
  }

  @Query(() => [EventTypeObject], { description: 'All event types.' })
  eventTypes(@Ctx() context: GraphQLContext): readonly EventTypeObject[] {
    context.caller('read');
    return context.dependencies.eventTypes.list() as readonly EventTypeObject[];
  }

  @FieldResolver(() => GraphQLJSONObject, { description: 'The data of the event, as it was published.' })
  data(@Root() event: Pick<Event, 'id'> & Partial<Event>, @Ctx() context: GraphQLContext): Promise<object | null> | object {
    return event.payload ?? context.loaders.payload.load(event.id);
  }

  @FieldResolver(() => GraphQLJSONObject, {
    description: 'The data of the event, as it was published.',
    deprecationReason: 'Use data.',
  })
  payload(@Root() event: Pick<Event, 'id'> & Partial<Event>, @Ctx() context: GraphQLContext): Promise<object | null> | object {
    return this.data(event, context);
  }

  @FieldResolver(() => GraphQLDateTime, {
    description: 'When the event happened; the time of publishing when the publisher gave none.',
  })
  occurredAt(@Root() { occurredAt, createdAt }: Pick<Event, 'createdAt'> & Partial<Event>): Date {
    return occurredAt ?? createdAt;
  }

  @Mutation(() => PublishEventPayload, {
    description: 'Publishes an event. The response is sent when the event is stored with its deliveries.',
  })
  publishEvent(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => PublishEventInput, { description: 'The event.' }) input: PublishEventInput,
  ): Promise<PublishEventPayload> {
    const caller = context.caller('publish');
    return withUserErrors(() => publishEvent(context.dependencies, caller, input));
  }

  @Mutation(() => PublishEventsPayload, { description: 'Publishes up to 1,000 events: all of them, or none.' })
  publishEvents(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => PublishEventsInput, { description: 'The events, at most 1,000.' }) input: PublishEventsInput,
  ): Promise<PublishEventsPayload> {
    const caller = context.caller('publish');
    return withUserErrors(async () => ({ events: await publishEvents(context.dependencies, caller, input.events) }));
  }
}
