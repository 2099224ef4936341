import 'reflect-metadata';
import {
  assertValidSchema,
  extendSchema,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isIntrospectionType,
  isLeafType,
  isListType,
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
  AttemptResolver,
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
  AttemptResolver,
  AttemptErrorResolver,
  AttemptResolver,
  ConnectionDeliveriesResolver,
  EventDeliveriesResolver,
  OrganizationDeliveriesResolver,
  SigningSecretResolver,
  ReplayResolver,
  DeliveryStatisticsResolver,
];

/**
 * Returns the schema, in a stable order. The schema needs its description: without one, printSchema omits the `schema { … }`
 * block, and readers take the type `Subscription` for the subscription root. Throws when a part does not fit.
 * @param parts the parts of the connection types.
 */
export function buildSchema(log: Logger, parts: readonly SchemaPart[]): GraphQLSchema {
  // Most fields are plain values. Without a promise for each, a response costs much less.
  for (const objectType of getMetadataStorage().objectTypes) objectType.simpleResolvers = true;
  const core = buildSchemaSync({
    resolvers,
    validate: false,
    // The schema is incomplete without the connection types.
    skipCheck: true,
    globalMiddlewares: [
      async ({ context, info }: ResolverData<GraphQLContext>, next) => {
        try {
          // A mutation is done even when the client has disconnected.
          if (info.parentType !== info.schema.getMutationType()) context.budget.check();
          const value: unknown = await next();
          return spend(value, context, info);
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
  describe(built.getQueryType(), 'Reads the data of the organization of the caller.');
  describe(
    built.getMutationType(),
    'Changes the data of the organization of the caller. Problems that a person can fix are returned as userErrors.',
  );
  const description =
    'Switchboard delivers events. A connection is a destination for events; a subscription routes events of one type to it.';
  // type-graphql would name this root Subscription, which is the name of an object type here.
  const subscription = createLiveRoot(built, log);
  const schema = lexicographicSortSchema(new GraphQLSchema({ ...built.toConfig(), subscription, description }));
  assertValidSchema(schema);
  return schema;
}

/** Each connection type adds its own field. type-graphql has no OneOf input objects. */
const CONFIGURATION_INPUT = `
  "The configuration of a connection: exactly one field, that of the connection's type."
  input ConnectionConfigurationInput @oneOf

  extend input CreateConnectionInput {
    "The configuration of the connection, which its type may require."
    configuration: ConnectionConfigurationInput
  }

  extend input UpdateConnectionInput {
    "Changes to the configuration."
    configuration: ConnectionConfigurationInput
  }
`;

/** Returns the schema with the parts of the connection types. */
function addParts(core: GraphQLSchema, parts: readonly SchemaPart[]): GraphQLSchema {
  const whole = extendSchema(core, parse([CONFIGURATION_INPUT, ...parts.map(({ schema }) => schema)].join('\n')));
  for (const type of Object.values(whole.getTypeMap())) {
    // Only values from SDL have an AST node. Sorting the schema rebuilds the lookups of the enum.
    if (isEnumType(type)) for (const value of type.getValues()) if (value.astNode) value.value = value.name.toLowerCase();
  }
  for (const [coordinate, scope] of parts.flatMap(({ fieldScopes = {} }) => Object.entries(fieldScopes))) {
    const [typeName = '', fieldName = ''] = coordinate.split('.');
    const type = whole.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
    if (!field) throw new Error(`There is no field ${coordinate} for which a scope could be required.`);
    field.extensions = { ...field.extensions, scope };
  }
  return whole;
}

type Answer = GraphQLFieldResolver<Record<string, unknown>, GraphQLContext>;

/** Resolves a field to the property of the source, or to the result of a function there. */
const answerPlainly =
  (log: Logger): Answer =>
  (source, _args, context, info) => {
    context.budget.check();
    const value = source[info.fieldName];
    if (typeof value === 'function') return answerLater(value as () => unknown, context, info, log);
    return spend(value, context, info);
  };

async function answerLater(read: () => unknown, context: GraphQLContext, info: GraphQLResolveInfo, log: Logger) {
  try {
    return spend(await read(), context, info);
  } catch (error) {
    throw toGraphQLError(error, log);
  }
}

/** Counts a field's value, and returns it as it is to be completed. */
function spend(value: unknown, { budget }: GraphQLContext, { returnType }: GraphQLResolveInfo): unknown {
  const type = getNullableType(returnType);
  if (isLeafType(type)) budget.spendBytes(sizeOf(value));
  return isListType(type) && Array.isArray(value) && isCompositeType(getNamedType(type)) ? budget.inSlices(value) : value;
}

/** Sets the description of a root, for which type-graphql has no option. */
function describe(root: GraphQLObjectType | null | undefined, description: string): void {
  if (root) root.description = description;
}
