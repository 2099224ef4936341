import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { createApiKey, listApiKeys, revokeApiKey } from '../../access/apiKeys.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination.js';
import { withUserErrors } from '../userErrors.js';
import { ApiKeyPage, ApiKeyPayload, CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput } from './apiKeyTypes.js';

@Resolver()
export class ApiKeyResolver {
  @Query(() => ApiKeyPage, {
    description: 'The API keys of the organization, newest first, including revoked ones. Requires ADMIN.',
  })
  apiKeys(@Ctx() context: GraphQLContext, @Args(() => PageArgs) page: PageArgs): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listApiKeys(context.dependencies, caller, page));
  }

  @Mutation(() => CreateApiKeyPayload, {
    description: 'Creates an API key and returns its secret, which is not shown again. Requires ADMIN.',
  })
  createApiKey(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateApiKeyInput, { description: 'Name and scopes of the key.' }) input: CreateApiKeyInput,
  ): Promise<CreateApiKeyPayload> {
    const caller = context.caller('admin');
    return withUserErrors(() => createApiKey(context.dependencies, caller, input));
  }

  @Mutation(() => ApiKeyPayload, {
    description: 'Revokes an API key and its access tokens at once. The last key with ADMIN cannot be revoked. Requires ADMIN.',
  })
  revokeApiKey(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => RevokeApiKeyInput, { description: 'The API key to revoke.' }) input: RevokeApiKeyInput,
  ): Promise<ApiKeyPayload> {
    const caller = context.caller('admin');
    return withUserErrors(async () => ({ apiKey: await revokeApiKey(context.dependencies, caller, input) }));
  }
}
