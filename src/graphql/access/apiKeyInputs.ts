import { Field, ID, InputType } from 'type-graphql';
import type { ApiKeyScope } from '../../domain/ApiKey.js';
import { ApiKeyScopeEnum } from './ApiKeyObject.js';

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field(() => String, { nullable: true, description: 'What people call it; at most 200 characters.' })
  name?: string | null;

  @Field(() => [ApiKeyScopeEnum], { nullable: true, description: 'What it may do: at most what you may, which is the default.' })
  scopes?: ApiKeyScope[] | null;

  @Field(() => Boolean, { nullable: true, description: 'True: only for access tokens; Basic is refused for the API.' })
  oauthOnly?: boolean | null;
}

@InputType({ description: 'Which API key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'The key; its access tokens go with it.' })
  id!: string;
}
