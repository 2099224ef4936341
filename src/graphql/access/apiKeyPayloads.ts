import { Field, ObjectType } from 'type-graphql';
import { UserErrorObject } from '../errors/UserError.js';
import { ApiKeyObject } from './ApiKeyObject.js';

@ObjectType({ description: 'The new key with its secret, or what is wrong with the input.' })
export class CreateApiKeyPayload {
  @Field(() => ApiKeyObject, { nullable: true, description: 'The key; null when there are userErrors.' })
  apiKey?: ApiKeyObject | null;

  @Field(() => String, { nullable: true, description: 'Its secret. Shown this once and never again.' })
  secretKey?: string | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'The key, or what is wrong with the input.' })
export class ApiKeyPayload {
  @Field(() => ApiKeyObject, { nullable: true, description: 'The key; null when there are userErrors.' })
  apiKey?: ApiKeyObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
