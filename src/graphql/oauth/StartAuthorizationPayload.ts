import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { AuthorizationObject } from './AuthorizationObject.js';

@ObjectType({ description: "The provider's URL to send the merchant's browser to, or what is wrong with the input." })
export class StartAuthorizationPayload {
  @Field(() => GraphQLURL, { nullable: true, description: "Open this in the merchant's browser." })
  authorizationUrl?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Until when the browser must be back.' })
  expiresAt?: Date | null;

  @Field(() => AuthorizationObject, { nullable: true, description: 'The attempt.' })
  authorization?: AuthorizationObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
