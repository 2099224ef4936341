import { Ctx, Field, FieldResolver, ObjectType, Query, Resolver, Root, registerEnumType } from 'type-graphql';
import { requireCredentials } from '../../access/authenticate.js';
import { findOrganization } from '../../access/organizations.js';
import { findOwnSession } from '../../access/sessions.js';
import { API_KEY_SCOPES } from '../../domain/ApiKey.js';
import type { Caller, Platform } from '../../domain/Caller.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { ApiKeyScopeEnum } from './apiKeyTypes.js';
import { OrganizationObject } from './organizationTypes.js';
import { SessionObject } from './sessionTypes.js';

const CallerCredentialEnum = {
  API_KEY: 'api_key',
  ACCESS_TOKEN: 'access_token',
  SESSION: 'session',
  PLATFORM_KEY: 'platform_key',
} as const;
registerEnumType(CallerCredentialEnum, {
  name: 'CallerCredential',
  description: 'What a caller presents.',
  valuesConfig: {
    API_KEY: { description: 'The key of an organization.' },
    ACCESS_TOKEN: { description: 'An access token of such a key (POST /oauth2/token).' },
    SESSION: { description: 'A session.' },
    PLATFORM_KEY: {
      description: 'The key of a platform, for the organization of the header Switchboard-Organization or for none.',
    },
  },
});

@ObjectType('Caller', { description: 'Whoever calls, and what the credentials may do.' })
class CallerObject {
  @Field(() => CallerCredentialEnum, { description: 'What was presented.' })
  credential!: Caller['credential'];
}

@Resolver(() => CallerObject)
export class CallerResolver {
  @Query(() => CallerObject, { description: 'You: what your credentials are, and what they may do. For any credentials.' })
  caller(@Ctx() { possibleCaller }: GraphQLContext): CallerObject {
    return requireCredentials(possibleCaller);
  }

  @FieldResolver(() => [ApiKeyScopeEnum], {
    description:
      'The scopes that you have. Those of a session say about what it may do; its permissions decide. None for a platform that acts for no organization.',
  })
  scopes(@Root() { scopes }: Caller | Platform): readonly string[] {
    return API_KEY_SCOPES.filter((scope) => (scopes as ReadonlySet<string>).has(scope));
  }

  @FieldResolver(() => SessionObject, { nullable: true, description: 'The session that calls; null when no session does.' })
  session(@Root() caller: Caller | Platform, @Ctx() { dependencies }: GraphQLContext): Promise<SessionObject | null> | null {
    return caller.organizationId === null ? null : findOwnSession(dependencies, caller);
  }

  @FieldResolver(() => OrganizationObject, {
    nullable: true,
    description: 'The organization that you act in; null for a platform that acts for none. Needs READ.',
  })
  organization(
    @Root() caller: Caller | Platform,
    @Ctx() { dependencies }: GraphQLContext,
  ): Promise<OrganizationObject | null> | null {
    return caller.organizationId === null ? null : findOrganization(dependencies, caller, {});
  }
}
