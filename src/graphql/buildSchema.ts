import 'reflect-metadata';
import {
  assertValidSchema,
  extendSchema,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  getNullableType,
  isEnumType,
  isIntrospectionType,
  isLeafType,
  isObjectType,
  lexicographicSortSchema,
  parse,
} from 'graphql';
import { buildSchemaSync, getMetadataStorage, type NonEmptyArray, type ResolverData } from 'type-graphql';
import type { Logger } from '../domain/Logger.js';
import { ApiKeyResolver } from './access/ApiKeyResolver.js';
import { AuditEventResolver } from './access/AuditEventResolver.js';
import { CallerResolver } from './access/CallerResolver.js';
import { OrganizationResolver } from './access/OrganizationResolver.js';
import { SessionResolver } from './access/SessionResolver.js';
import { sizeOf } from './Budget.js';
import { ConnectionPayloadResolver, ConnectionResolver } from './connections/ConnectionResolver.js';
import type { SchemaPart } from './connections/ConnectionTypeView.js';
import {
  AttemptErrorResolver,
  ConnectionDeliveriesResolver,
  DeliveryResolver,
  EventDeliveriesResolver,
  OrganizationDeliveriesResolver,
  SigningSecretResolver,
} from './delivery/DeliveryResolver.js';
import { DeliveryStatisticsResolver } from './delivery/DeliveryStatisticsResolver.js';
import { ReplayResolver } from './delivery/ReplayResolver.js';
import { ErasureResolver } from './events/ErasureResolver.js';
import { EventResolver } from './events/EventResolver.js';
import type { GraphQLContext } from './GraphQLContext.js';
import { toGraphQLError } from './graphqlErrors.js';
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
  AuditEventResolver,
  SessionResolver,
  CallerResolver,
  ConnectionResolver,
  ConnectionPayloadResolver,
  AuthorizationResolver,
  ConnectionAuthorizationResolver,
  ConnectionCheckResolver,
  InstallResolver,
  KlaviyoResolver,
  SubscriptionResolver,
  ConnectionSubscriptionsResolver,
  EventResolver,
  ErasureResolver,
  DeliveryResolver,
  AttemptErrorResolver,
  ConnectionDeliveriesResolver,
  EventDeliveriesResolver,
  OrganizationDeliveriesResolver,
  SigningSecretResolver,
  ReplayResolver,
  DeliveryStatisticsResolver,
];

/**
 * The schema, in a stable order. Its description is more than a courtesy: without one, printSchema leaves out the
 * `schema { … }` block, and every reader takes our type `Subscription` for the subscription root.
 * @param parts what the connection types add. Throws when one of them does not fit.
 */
export function buildSchema(log: Logger, parts: readonly SchemaPart[]): GraphQLSchema {
  // Most of an answer is fields that are simply there: without a promise for each, an answer costs a fraction.
  for (const objectType of getMetadataStorage().objectTypes) objectType.simpleResolvers = true;
  const core = buildSchemaSync({
    resolvers,
    validate: false,
    // Without connection types it is no whole schema yet.
    skipCheck: true,
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
  const built = addParts(core, parts);
  const answer = answerPlainly(log);
  for (const type of Object.values(built.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    for (const field of Object.values(type.getFields())) field.resolve ??= answer;
  }
  describe(built.getQueryType(), 'What can be read: everything of the organization that calls, and nothing else.');
  describe(built.getMutationType(), 'What can be changed. What a person can mend comes back in userErrors.');
  const description = 'Switchboard: connections say where events go, subscriptions say which ones.';
  // type-graphql would name this root Subscription, which is the name of something else here.
  const subscription = createLiveRoot(built, log);
  const schema = lexicographicSortSchema(new GraphQLSchema({ ...built.toConfig(), subscription, description }));
  assertValidSchema(schema);
  return schema;
}

/** The schema with what the connection types add to it. */
function addParts(core: GraphQLSchema, parts: readonly SchemaPart[]): GraphQLSchema {
  const whole = extendSchema(core, parse(parts.map(({ schema }) => schema).join('\n')));
  for (const type of Object.values(whole.getTypeMap())) {
    // What came as text has its node of it. The lookups of an enum are made anew when the schema is sorted.
    if (isEnumType(type)) for (const value of type.getValues()) if (value.astNode) value.value = value.name.toLowerCase();
  }
  for (const [coordinate, scope] of parts.flatMap(({ fieldScopes = {} }) => Object.entries(fieldScopes))) {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = whole.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (!field) throw new Error(`There is no field ${coordinate} that could need a scope.`);
    field.extensions = { ...field.extensions, scope };
  }
  return whole;
}

type Answer = GraphQLFieldResolver<Record<string, unknown>, GraphQLContext>;

/** A field that is simply there, or that a function there reads. */
const answerPlainly =
  (log: Logger): Answer =>
  (source, _args, context, info) => {
    context.budget.check();
    const value = source[info.fieldName];
    if (typeof value === 'function') return answerLater(value as () => unknown, context, info, log);
    spend(value, context, info);
    return value;
  };

async function answerLater(read: () => unknown, context: GraphQLContext, info: GraphQLResolveInfo, log: Logger) {
  try {
    const value = await read();
    spend(value, context, info);
    return value;
  } catch (error) {
    throw toGraphQLError(error, log);
  }
}

function spend(value: unknown, { budget }: GraphQLContext, { returnType }: GraphQLResolveInfo): void {
  if (isLeafType(getNullableType(returnType))) budget.spendBytes(sizeOf(value));
}

/** type-graphql has no place for the descriptions of the roots. */
function describe(root: GraphQLObjectType | null | undefined, description: string): void {
  if (root) root.description = description;
}
