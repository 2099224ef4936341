import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { warnOfScopes } from '../../connections/checkKlaviyo.js';
import { createConnection } from '../../connections/createConnection.js';
import { deleteConnection } from '../../connections/deleteConnection.js';
import { findConnection } from '../../connections/findConnection.js';
import { listConnections } from '../../connections/listConnections.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { Connection, WebhookConfiguration } from '../../domain/Connection.js';
import { scopesToRequest } from '../../oauth/startAuthorization.js';
import { DeletePayload } from '../errors/DeletePayload.js';
import { withUserErrors } from '../errors/withUserErrors.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs } from '../pagination/PageArgs.js';
import { pageTypes } from '../pagination/pageTypes.js';
import {
  ConnectionConfigurationUnion,
  type KlaviyoConfigurationObject,
  type WebhookConfigurationObject,
} from './ConnectionConfiguration.js';
import { ConnectionObject } from './ConnectionObject.js';
import { ConnectionPayload } from './ConnectionPayload.js';
import { ConnectionFilter, CreateConnectionInput, DeleteConnectionInput, UpdateConnectionInput } from './connectionInputs.js';
import { describeProblem } from './describeProblem.js';

const ConnectionPage = pageTypes('Connection', 'connections', () => ConnectionObject);

@Resolver(() => ConnectionObject)
export class ConnectionResolver {
  @Query(() => ConnectionObject, { nullable: true, description: 'One connection; null when it is not there or not yours.' })
  connection(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Which one.' }) id: string,
  ): Promise<ConnectionObject | null> {
    return findConnection(context.dependencies, context.caller('read'), id);
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
