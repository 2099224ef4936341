import { Field, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { EventObject } from './EventObject.js';

@ObjectType({ description: 'An event that is stored, with a delivery for each active subscription.' })
export class PublishedEvent {
  @Field(() => EventObject, { description: 'The event; the earlier one if it was a duplicate.' })
  event!: EventObject;

  @Field(() => Boolean, { description: 'True when it had been published before with this idempotency key.' })
  duplicate!: boolean;
}

@ObjectType({ description: 'The published event, or what is wrong with the input.' })
export class PublishEventPayload {
  @Field(() => EventObject, { nullable: true, description: 'The event; null when there are userErrors.' })
  event?: EventObject | null;

  @Field(() => Boolean, { nullable: true, description: 'True when it had been published before with this idempotency key.' })
  duplicate?: boolean | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'The published events in the order of the input, or what is wrong with it.' })
export class PublishEventsPayload {
  @Field(() => [PublishedEvent], {
    nullable: true,
    description: 'One for each event of the input; null when there are userErrors.',
  })
  events?: PublishedEvent[] | null;

  @Field(() => [UserErrorObject], {
    description: 'What a person can mend. Empty when all went well; otherwise nothing was published.',
  })
  userErrors!: readonly UserErrorObject[];
}
