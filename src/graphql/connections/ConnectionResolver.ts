import { Arg, Args, Ctx, Field, FieldResolver, ID, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { warnOfScopes } from '../../connections/checkConfiguration.js';
import { createConnection } from '../../connections/createConnection.js';
import { deleteConnection } from '../../connections/deleteConnection.js';
import { findConnection, listConnections } from '../../connections/listConnections.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { ConnectionHealth } from '../../delivery/listDeliveries.js';
import type { Connection, WebhookConfiguration } from '../../domain/Connection.js';
import type { Credential } from '../../domain/Credential.js';
import { scopesToRequest } from '../../oauth/startAuthorization.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs, pageTypes } from '../pagination.js';
import { DeletePayload, UserErrorObject, WarningObject, withUserErrors } from '../userErrors.js';
import {
  ConnectionConfigurationUnion,
  ConnectionFilter,
  ConnectionObject,
  CreateConnectionInput,
  DeleteConnectionInput,
  KlaviyoConfigurationObject,
  KlaviyoQuotaObject,
  UpdateConnectionInput,
  type WebhookConfigurationObject,
} from './connectionTypes.js';

@ObjectType({ description: 'The connection after a change, or what is wrong with the input.' })
export class ConnectionPayload {
  @Field(() => ConnectionObject, { nullable: true, description: 'As it is now; null when there are userErrors.' })
  connection?: ConnectionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];

  /** Absent where nothing can be unusual. */
  warnings?: readonly WarningObject[];
}

@Resolver(() => ConnectionPayload)
export class ConnectionPayloadResolver {
  @FieldResolver(() => [WarningObject], { description: 'What was accepted though it is unusual. Mostly empty; 20 at most.' })
  warnings(@Root() { warnings }: ConnectionPayload): readonly WarningObject[] {
    return warnings ?? [];
  }
}

const ConnectionPage = pageTypes('Connection', 'connections', () => ConnectionObject);

@Resolver(() => ConnectionObject)
export class ConnectionResolver {
  @Query(() => ConnectionObject, { nullable: true, description: 'One connection; null when it is not there or not yours.' })
  connection(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<ConnectionObject | null> {
    return findConnection(context.dependencies, context.caller('read', 'connect'), id);
  }

  @Query(() => ConnectionPage, { description: 'Your connections, newest first.' })
  connections(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ConnectionFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: ConnectionFilter | null,
  ): Promise<object> {
    const caller = context.caller('read');
    return context.page(() => listConnections(context.dependencies, caller, page, filter ?? {}));
  }

  @Mutation(() => ConnectionPayload, {
    description: 'Creates a connection. A webhook is ACTIVE at once; Klaviyo needs startAuthorization next.',
  })
  createConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => CreateConnectionInput, { description: 'Where events shall go.' }) input: CreateConnectionInput,
  ): Promise<ConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({
      connection: await createConnection(context.dependencies, caller, input),
      warnings: warnOfScopes(input.klaviyo, context.dependencies.connectionRules),
    }));
  }

  @Mutation(() => ConnectionPayload, { description: 'Changes what is given and leaves the rest.' })
  updateConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => UpdateConnectionInput, { description: 'Which one, and only what changes.' }) input: UpdateConnectionInput,
  ): Promise<ConnectionPayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({
      connection: await updateConnection(context.dependencies, caller, input),
      warnings: warnOfScopes(input.klaviyo, context.dependencies.connectionRules),
    }));
  }

  @Mutation(() => DeletePayload, {
    description: "Deletes a connection with its subscriptions, and gives the provider's grant back in the background.",
  })
  deleteConnection(
    @Ctx() context: GraphQLContext,
    @Arg('input', () => DeleteConnectionInput, { description: 'Which one.' }) input: DeleteConnectionInput,
  ): Promise<DeletePayload> {
    const caller = context.caller('manage');
    return withUserErrors(async () => ({ deletedId: await deleteConnection(context.dependencies, caller, input) }));
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'What keeps an ACTIVE connection from delivering, or soon will, and whose turn it is; null when nothing does.',
  })
  async problem(
    @Root() { id, type, status }: Connection,
    @Ctx() { loaders, dependencies }: GraphQLContext,
  ): Promise<string | null> {
    if (status !== 'active') return null;
    const [credential, health, subscribed] = await Promise.all([
      loaders.credential.load(id),
      loaders.health.load(id),
      type === 'webhook' ? null : loaders.subscribed.load(id),
    ]);
    return describeProblem(credential, health, (subscribed && dependencies.providers.get(type)?.deliveryScope) ?? null);
  }

  @FieldResolver(() => ConnectionConfigurationUnion, { description: 'Where it points, without any secret.' })
  async configuration(
    @Root() connection: Connection,
    @Ctx() context: GraphQLContext,
  ): Promise<WebhookConfigurationObject | KlaviyoConfigurationObject> {
    if (connection.type === 'webhook') return connection.configuration as WebhookConfiguration;
    const { loaders, dependencies } = context;
    const [credential, subscribed] = await Promise.all([
      loaders.credential.load(connection.id),
      loaders.subscribed.load(connection.id),
    ]);
    const requestedScopes = scopesToRequest(dependencies.providers.get('klaviyo'), connection, subscribed !== null);
    const grantedScopes = credential?.scopes ?? [];
    return {
      requestedScopes,
      grantedScopes,
      missingScopes: credential?.accessToken ? requestedScopes.filter((scope) => !grantedScopes.includes(scope)) : [],
      account: credential?.accountId
        ? { id: credential.accountId, name: credential.accountName ?? null, timezone: credential.accountTimezone ?? null }
        : null,
      accessTokenExpiresAt: credential?.accessToken ? credential.expiresAt : null,
      lastRefreshedAt: credential?.lastRefreshedAt ?? null,
      lastCheckedAt: credential?.checkedAt ?? null,
    };
  }
}

/**
 * What keeps an active connection from delivering, or soon will, in a sentence or two; null when nothing does.
 * `neededScope` is what its deliveries need of a grant; null when it has none to make.
 */
function describeProblem(
  credential: Credential | null,
  health: ConnectionHealth | null,
  neededScope: string | null,
): string | null {
  if (credential?.refreshProblem) {
    // A token is renewed ahead of time: as long as the one in hand is good, events go out.
    const waits = credential.expiresAt.getTime() <= Date.now();
    return waits ? `${credential.refreshProblem} Events wait meanwhile.` : credential.refreshProblem;
  }
  if (neededScope && credential?.accessToken && !credential.scopes.includes(neededScope)) {
    return `The grant lacks the scope ${neededScope}, so the next event will be held: connect again and allow it.`;
  }
  const { failingSince, throttledUntil } = health ?? {};
  if (failingSince) return `Deliveries have been failing since ${failingSince.toISOString()}; their attempts say why.`;
  if (throttledUntil) return `The destination limits how much it takes; deliveries go on at ${throttledUntil.toISOString()}.`;
  return null;
}

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
