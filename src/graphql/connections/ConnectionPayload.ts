import { Field, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { ConnectionObject } from './ConnectionObject.js';

@ObjectType({ description: 'The connection after a change, or what is wrong with the input.' })
export class ConnectionPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  connection?: ConnectionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
