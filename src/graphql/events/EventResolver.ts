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
  @Query(() => EventObject, { nullable: true, description: 'One event; null when it is not there or not yours.' })
  event(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<EventObject | null> {
    return findEvent(context.dependencies, context.caller('read'), id);
  }

  @Query(() => EventPage, { description: 'What you published, newest first.' })
  events(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => EventFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: EventFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listEvents(context.dependencies, caller, page, filter ?? {}));
  }

  @Query(() => [EventTypeObject], { description: 'Everything that can be subscribed to.' })
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

  @FieldResolver(() => GraphQLDateTime, { description: 'When it happened; when it was published, if the publisher did not say.' })
  occurredAt(@Root() { occurredAt, createdAt }: Pick<Event, 'createdAt'> & Partial<Event>): Date {
    return occurredAt ?? createdAt;
  }

  @Mutation(() => PublishEventPayload, {
    description: 'Publishes one event. Once answered, it is stored with all its deliveries.',
  })
  publishEvent(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => PublishEventInput, { description: 'What happened.' }) input: PublishEventInput,
  ): Promise<PublishEventPayload> {
    const caller = context.caller('publish');
    return withUserErrors(() => publishEvent(context.dependencies, caller, input));
  }

  @Mutation(() => PublishEventsPayload, { description: 'Publishes up to 1,000 events, all or none.' })
  publishEvents(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => PublishEventsInput, { description: 'What happened, up to 1,000 events.' }) input: PublishEventsInput,
  ): Promise<PublishEventsPayload> {
    const caller = context.caller('publish');
    return withUserErrors(async () => ({ events: await publishEvents(context.dependencies, caller, input.events) }));
  }
}
