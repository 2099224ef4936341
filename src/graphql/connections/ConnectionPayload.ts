import { Field, FieldResolver, ObjectType, Resolver, Root } from 'type-graphql';
import { UserErrorObject, WarningObject } from '../errors/UserError.js';
import { ConnectionObject } from './ConnectionObject.js';

@ObjectType({ description: 'The connection after a change, or what is wrong with the input.' })
export class ConnectionPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  connection?: ConnectionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];

  /** Absent where nothing can be unusual. */
  warnings?: readonly WarningObject[];
}

@Resolver(() => ConnectionPayload)
export class ConnectionPayloadResolver {
  @FieldResolver(() => [WarningObject], { description: 'What was accepted though it is unusual. Mostly empty; 20 at most.' })
  warnings(@Root() { warnings }: ConnectionPayload): readonly WarningObject[] {
    return warnings ?? [];
  }
}
