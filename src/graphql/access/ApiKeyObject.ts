import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { ApiKeyScope } from '../../domain/ApiKey.js';

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
