import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { ApiKeyScope } from '../../domain/ApiKey.js';
import { pageTypes } from '../pagination.js';
import { payloadType } from '../userErrors.js';

export const ApiKeyScopeEnum = { ADMIN: 'admin', MANAGE: 'manage', PUBLISH: 'publish', READ: 'read' } as const;
registerEnumType(ApiKeyScopeEnum, {
  name: 'ApiKeyScope',
  description: 'What an API key may do.',
  valuesConfig: {
    ADMIN: { description: 'Make and end API keys; see and rotate secrets. Only for a key itself, never for its access tokens.' },
    MANAGE: { description: 'Change connections and subscriptions; try deliveries again.' },
    PUBLISH: { description: 'Publish events.' },
    READ: { description: 'Look at everything of its organization, API keys excepted.' },
  },
});

@ObjectType('ApiKey', { description: 'A public and secret key pair with which a backend or frontend calls the API.' })
export class ApiKeyObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { nullable: true, description: 'What people call it.' })
  name?: string | null;

  @Field(() => String, { description: 'The user name of Basic authentication, and the client id of OAuth.' })
  publicKey!: string;

  @Field(() => [ApiKeyScopeEnum], { description: 'What it may do.' })
  scopes!: readonly string[] | readonly ApiKeyScope[];

  @Field(() => Boolean, { description: 'True: it is only good for access tokens (POST /oauth2/token).' })
  oauthOnly!: boolean;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When it or a token of it was last used, to the minute.' })
  lastUsedAt?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Since when it no longer works; null while it does.' })
  revokedAt?: Date | null;
}

export const ApiKeyPage = pageTypes('ApiKey', 'API keys', () => ApiKeyObject);

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

export const CreateApiKeyPayload = payloadType<{ apiKey: ApiKeyObject; secretKey: string }>(
  'CreateApiKeyPayload',
  'The new key with its secret, or what is wrong with the input.',
  {
    apiKey: [() => ApiKeyObject, 'The key; null when there are userErrors.'],
    secretKey: [() => String, 'Its secret. Shown this once and never again.'],
  },
);
export type CreateApiKeyPayload = InstanceType<typeof CreateApiKeyPayload>;

export const ApiKeyPayload = payloadType<{ apiKey: ApiKeyObject }>('ApiKeyPayload', 'The key, or what is wrong with the input.', {
  apiKey: [() => ApiKeyObject, 'The key; null when there are userErrors.'],
});
export type ApiKeyPayload = InstanceType<typeof ApiKeyPayload>;
