import { Field, ID, ObjectType } from 'type-graphql';
import { UserErrorObject } from './UserError.js';

@ObjectType({ description: 'What was deleted, or why nothing was.' })
export class DeletePayload {
  @Field(() => ID, { nullable: true, description: 'The id of what is gone; null when there are userErrors.' })
  deletedId?: string | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
