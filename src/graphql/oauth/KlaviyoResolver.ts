import { GraphQLURL } from 'graphql-scalars';
import { Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import { SwitchboardError } from '../../domain/errors.js';
import type { ProviderScope } from '../../domain/ProviderScope.js';
import type { Provider } from '../../oauth/Provider.js';
import type { GraphQLContext } from '../GraphQLContext.js';

const ScopeAccessEnum = { READ: 'read', WRITE: 'write' } as const;
registerEnumType(ScopeAccessEnum, {
  name: 'ScopeAccess',
  description: 'What a scope lets an app do with a resource.',
  valuesConfig: { READ: { description: 'Look at it.' }, WRITE: { description: 'Change it.' } },
});

@ObjectType('KlaviyoScope', { description: 'A permission that Klaviyo knows.' })
export class KlaviyoScopeObject {
  @Field(() => String, { description: 'As it is asked for: events:write.' })
  name!: string;

  @Field(() => String, { description: 'What it is about: events.' })
  resource!: string;

  @Field(() => ScopeAccessEnum, { description: 'What it allows.' })
  access!: ProviderScope['access'];

  @Field(() => Boolean, { description: 'True when every authorization asks for it.' })
  required!: boolean;
}

@ObjectType('KlaviyoApp', { description: 'The Klaviyo app that this server acts as.' })
export class KlaviyoAppObject {
  @Field(() => String, { description: 'Its client id; public.' })
  clientId!: string;

  @Field(() => GraphQLURL, { description: "Put exactly this on the app's list of redirect URLs." })
  redirectUri!: string;

  @Field(() => [String], { description: 'Scopes that a connection asks for unless it names its own.' })
  scopes!: readonly string[];

  @Field(() => Boolean, { description: 'True when a local stand-in answers instead of Klaviyo.' })
  sandbox!: boolean;
}

@Resolver()
export class KlaviyoResolver {
  @Query(() => [KlaviyoScopeObject], { description: 'Every scope that a Klaviyo connection may ask for.' })
  klaviyoScopes(@Ctx() context: GraphQLContext): readonly KlaviyoScopeObject[] {
    context.caller('read');
    return klaviyo(context).scopes;
  }

  @Query(() => KlaviyoAppObject, { description: 'What an operator needs to know to set the Klaviyo app up.' })
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
