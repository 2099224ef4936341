import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { GraphQLContext } from '../GraphQLContext.js';
import { KlaviyoConfigurationObject, KlaviyoQuotaObject } from './ConnectionConfiguration.js';

/** What is left of Klaviyo's limits for the account that a connection is linked to. */
@Resolver(() => KlaviyoConfigurationObject)
export class KlaviyoQuotaResolver {
  @FieldResolver(() => KlaviyoQuotaObject, {
    nullable: true,
    description: 'What is left for events sent one by one. Null when none was within the last minute, or no account is linked.',
  })
  quota(@Root() { account }: KlaviyoConfigurationObject, @Ctx() context: GraphQLContext): Promise<KlaviyoQuotaObject | null> {
    return find(context, account?.id, 'events');
  }

  @FieldResolver(() => KlaviyoQuotaObject, {
    nullable: true,
    description: 'What is left of bulk requests, which carry up to 1,000 events each when many wait. Null as with `quota`.',
  })
  bulkQuota(@Root() { account }: KlaviyoConfigurationObject, @Ctx() context: GraphQLContext): Promise<KlaviyoQuotaObject | null> {
    return find(context, account?.id, 'bulk');
  }
}

async function find(context: GraphQLContext, account: string | undefined, limit: string): Promise<KlaviyoQuotaObject | null> {
  context.caller('read');
  if (account === undefined) return null;
  return (await context.loaders.quotas.load(account)).find(({ endpoint }) => endpoint === limit) ?? null;
}
