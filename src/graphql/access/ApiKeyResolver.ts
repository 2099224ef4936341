import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { createApiKey, listApiKeys, revokeApiKey } from '../../access/apiKeys.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { withUserErrors } from '../userErrors.js';
import { ApiKeyPage, ApiKeyPayload, CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput } from './apiKeyTypes.js';

@Resolver()
export class ApiKeyResolver {
  @Query(() => ApiKeyPage, {
    description: 'Your API keys, newest first, revoked ones included; without secrets. Needs ADMIN.',
  })
  apiKeys(@Ctx() context: GraphQLContext, @Args(() => PageArgs) page: PageArgs): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listApiKeys(context.dependencies, caller, page));
  }

  @Mutation(() => CreateApiKeyPayload, {
    description: 'Adds an API key to your organization and shows its secret this once. Needs ADMIN.',
  })
  createApiKey(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateApiKeyInput, { description: 'What the key is for and what it may do.' }) input: CreateApiKeyInput,
  ): Promise<CreateApiKeyPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => createApiKey(context.dependencies, caller, input));
  }

  @Mutation(() => ApiKeyPayload, {
    description: 'Ends an API key with its access tokens, at once. Needs ADMIN. The last one with ADMIN is refused.',
  })
  revokeApiKey(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => RevokeApiKeyInput, { description: 'Which one.' }) input: RevokeApiKeyInput,
  ): Promise<ApiKeyPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ apiKey: await revokeApiKey(context.dependencies, caller, input) }));
  }
}
