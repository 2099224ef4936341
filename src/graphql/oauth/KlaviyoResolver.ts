import { GraphQLURL } from 'graphql-scalars';
import { Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import { SwitchboardError } from '../../domain/errors.js';
import type { ProviderScope } from '../../domain/ProviderScope.js';
import type { Provider } from '../../oauth/Provider.js';
import type { GraphQLContext } from '../GraphQLContext.js';

const ScopeAccessEnum = { READ: 'read', WRITE: 'write' } as const;
registerEnumType(ScopeAccessEnum, {
  name: 'ScopeAccess',
  description: 'The access to a resource that a scope grants.',
  valuesConfig: { READ: { description: 'Read the resource.' }, WRITE: { description: 'Change the resource.' } },
});

@ObjectType('KlaviyoScope', { description: 'An OAuth scope of Klaviyo.' })
export class KlaviyoScopeObject {
  @Field(() => String, { description: 'Name of the scope, such as events:write.' })
  name!: string;

  @Field(() => String, { description: 'The resource, such as events.' })
  resource!: string;

  @Field(() => ScopeAccessEnum, { description: 'The access to the resource.' })
  access!: ProviderScope['access'];

  @Field(() => Boolean, { description: 'True when every authorization requests the scope.' })
  required!: boolean;
}

@ObjectType('KlaviyoApp', { description: 'The Klaviyo app of this server.' })
export class KlaviyoAppObject {
  @Field(() => String, { description: 'The client id, which is public.' })
  clientId!: string;

  @Field(() => GraphQLURL, { description: 'The redirect URL to add to the settings of the app.' })
  redirectUri!: string;

  @Field(() => [String], { description: 'Scopes that a connection requests by default.' })
  scopes!: readonly string[];

  @Field(() => Boolean, { description: 'True when the sandbox stands in for Klaviyo.' })
  sandbox!: boolean;
}

@Resolver()
export class KlaviyoResolver {
  @Query(() => [KlaviyoScopeObject], { description: 'All scopes that a Klaviyo connection may request.' })
  klaviyoScopes(@Ctx() context: GraphQLContext): readonly KlaviyoScopeObject[] {
    context.caller('read');
    return klaviyo(context).scopes;
  }

  @Query(() => KlaviyoAppObject, { description: 'The settings that an operator needs to set up the Klaviyo app.' })
  klaviyoApp(@Ctx() context: GraphQLContext): KlaviyoAppObject {
    context.caller('read');
    const { clientId, redirectUri, defaultScopes, sandbox } = klaviyo(context);
    return { clientId, redirectUri, scopes: defaultScopes, sandbox };
  }
}

function klaviyo({ dependencies }: GraphQLContext): Provider {
  const provider = dependencies.providers.get('klaviyo');
  if (!provider) throw new SwitchboardError('SERVICE_UNAVAILABLE', 'Klaviyo is not set up on this server.');
  return provider;
}
