import 'reflect-metadata';
import {
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  getNullableType,
  isIntrospectionType,
  isLeafType,
  isObjectType,
  lexicographicSortSchema,
} from 'graphql';
import { buildSchemaSync, getMetadataStorage, type NonEmptyArray, type ResolverData } from 'type-graphql';
import type { Logger } from '../domain/Logger.js';
import { ApiKeyResolver, OrganizationResolver } from './access/ApiKeyResolver.js';
import { SessionResolver } from './access/SessionResolver.js';
import { sizeOf } from './Budget.js';
import { toGraphQLError } from './callErrors.js';
import { ConnectionPayloadResolver, ConnectionResolver, KlaviyoQuotaResolver } from './connections/ConnectionResolver.js';
import {
  AttemptErrorResolver,
  ConnectionDeliveriesResolver,
  DeliveryResolver,
  EventDeliveriesResolver,
  SigningSecretResolver,
} from './delivery/DeliveryResolver.js';
import { EventResolver } from './events/EventResolver.js';
import type { GraphQLContext } from './GraphQLContext.js';
import { createLiveRoot } from './live/createLiveRoot.js';
import { AuthorizationResolver, ConnectionAuthorizationResolver } from './oauth/AuthorizationResolver.js';
import { ConnectionCheckResolver } from './oauth/ConnectionCheckResolver.js';
import { InstallResolver } from './oauth/InstallResolver.js';
import { KlaviyoResolver } from './oauth/KlaviyoResolver.js';
import { ConnectionSubscriptionsResolver, SubscriptionResolver } from './subscriptions/SubscriptionResolver.js';

// biome-ignore lint/complexity/noBannedTypes: type-graphql names classes so.
const resolvers: NonEmptyArray<Function> = [
  OrganizationResolver,
  ApiKeyResolver,
  SessionResolver,
  ConnectionResolver,
  ConnectionPayloadResolver,
  KlaviyoQuotaResolver,
  AuthorizationResolver,
  ConnectionAuthorizationResolver,
  ConnectionCheckResolver,
  InstallResolver,
  KlaviyoResolver,
  SubscriptionResolver,
  ConnectionSubscriptionsResolver,
  EventResolver,
  DeliveryResolver,
  AttemptErrorResolver,
  ConnectionDeliveriesResolver,
  EventDeliveriesResolver,
  SigningSecretResolver,
];

/**
 * The schema, in a stable order. Its description is more than a courtesy: without one, printSchema leaves out the
 * `schema { … }` block, and every reader takes our type `Subscription` for the subscription root.
 */
export function buildSchema(log: Logger): GraphQLSchema {
  // Most of an answer is fields that are simply there: without a promise for each, an answer costs a fraction.
  for (const objectType of getMetadataStorage().objectTypes) objectType.simpleResolvers = true;
  const built = buildSchemaSync({
    resolvers,
    validate: false,
    globalMiddlewares: [
      async ({ context, info }: ResolverData<GraphQLContext>, next) => {
        try {
          // What was asked to be changed is, though nobody may wait for the answer any more.
          if (info.parentType !== info.schema.getMutationType()) context.budget.check();
          const value: unknown = await next();
          spend(value, context, info);
          return value;
        } catch (error) {
          throw toGraphQLError(error, log);
        }
      },
    ],
  });
  for (const type of Object.values(built.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) field.resolve ??= answerPlainly;
  }
  describe(built.getQueryType(), 'What can be read: everything of the organization that calls, and nothing else.');
  describe(built.getMutationType(), 'What can be changed. What a person can mend comes back in userErrors.');
  const description = 'Switchboard: connections say where events go, subscriptions say which ones.';
  // type-graphql would name this root Subscription, which is the name of something else here.
  const subscription = createLiveRoot(built, log);
  return lexicographicSortSchema(new GraphQLSchema({ ...built.toConfig(), subscription, description }));
}

/** A field that is simply there. */
const answerPlainly: GraphQLFieldResolver<Record<string, unknown>, GraphQLContext> = (source, _args, context, info) => {
  context.budget.check();
  const value = source[info.fieldName];
  spend(value, context, info);
  return value;
};

function spend(value: unknown, { budget }: GraphQLContext, { returnType }: GraphQLResolveInfo): void {
  if (isLeafType(getNullableType(returnType))) budget.spendBytes(sizeOf(value));
}

/** type-graphql has no place for the descriptions of the roots. */
function describe(root: GraphQLObjectType | null | undefined, description: string): void {
  if (root) root.description = description;
}
