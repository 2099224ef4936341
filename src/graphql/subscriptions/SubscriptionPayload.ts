import { Field, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { SubscriptionObject } from './SubscriptionObject.js';

@ObjectType({ description: 'The subscription after a change, or what is wrong with the input.' })
export class SubscriptionPayload {
  @Field(() => SubscriptionObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  subscription?: SubscriptionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
