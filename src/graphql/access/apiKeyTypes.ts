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
    ADMIN: { description: 'Create and revoke API keys and sessions; reveal and rotate secrets. Never held by an access token.' },
    MANAGE: { description: 'Change connections and subscriptions; retry deliveries.' },
    PUBLISH: { description: 'Publish events.' },
    READ: { description: 'Read everything of the organization except API keys, sessions and the audit log.' },
  },
});

@ObjectType('ApiKey', { description: 'A pair of a public and a secret key with which a backend calls the API.' })
export class ApiKeyObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => String, { nullable: true, description: 'Display name of the key.' })
  name?: string | null;

  @Field(() => String, { description: 'The user name of Basic authentication, and the client id of OAuth.' })
  publicKey!: string;

  @Field(() => [ApiKeyScopeEnum], { description: 'Scopes of the key.' })
  scopes!: readonly string[] | readonly ApiKeyScope[];

  @Field(() => Boolean, { description: 'True when the key can only obtain access tokens (POST /oauth2/token).' })
  oauthOnly!: boolean;

  @Field(() => GraphQLDateTime, { description: 'When the key was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When the key or one of its access tokens was last used, to the minute.',
  })
  lastUsedAt?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the key was revoked; null while it is valid.' })
  revokedAt?: Date | null;
}

export const ApiKeyPage = pageTypes('ApiKey', 'API keys', () => ApiKeyObject);

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field(() => String, { nullable: true, description: 'Display name of the key; at most 200 characters.' })
  name?: string | null;

  @Field(() => [ApiKeyScopeEnum], {
    nullable: true,
    description: 'Scopes of the key. The default, and the most, are the scopes of the caller.',
  })
  scopes?: ApiKeyScope[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'True for a key that can only obtain access tokens; the API refuses it as Basic credentials.',
  })
  oauthOnly?: boolean | null;
}

@InputType({ description: 'The API key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'Id of the API key. Its access tokens are revoked with it.' })
  id!: string;
}

export const CreateApiKeyPayload = payloadType<{ apiKey: ApiKeyObject; secretKey: string }>(
  'CreateApiKeyPayload',
  'The new API key with its secret, or the problems of the input.',
  {
    apiKey: [() => ApiKeyObject, 'The API key; null when there are userErrors.'],
    secretKey: [() => String, 'The secret key. It is shown only here.'],
  },
);
export type CreateApiKeyPayload = InstanceType<typeof CreateApiKeyPayload>;

export const ApiKeyPayload = payloadType<{ apiKey: ApiKeyObject }>(
  'ApiKeyPayload',
  'The API key, or the problems of the input.',
  {
    apiKey: [() => ApiKeyObject, 'The API key; null when there are userErrors.'],
  },
);
export type ApiKeyPayload = InstanceType<typeof ApiKeyPayload>;
