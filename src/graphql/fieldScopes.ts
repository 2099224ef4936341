import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { ApiKeyScope, Scope } from '../domain/ApiKey.js';

/**
 * Which scope each field needs; null: any credentials do. Fields that are not here are part of the thing that they belong to. A mutation shows the
 * thing that it changed; whatever lies beyond that thing needs `read`, as it does in a query. Fields that come with a connection
 * type have it in their `extensions.scope`.
 */
export const fieldScopes: Readonly<Record<string, Scope | null>> = {
  'Query.caller': null,
  'Query.organization': 'read',
  'Query.organizations': 'platform',
  'Query.apiKeys': 'admin',
  'Query.auditEvents': 'admin',
  'Query.session': 'read',
  'Query.sessions': 'admin',
  'Query.connection': 'read',
  'Query.connections': 'read',
  'Query.subscription': 'read',
  'Query.subscriptions': 'read',
  'Query.event': 'read',
  'Query.events': 'read',
  'Query.eventTypes': 'read',
  'Query.delivery': 'read',
  'Query.deliveries': 'read',
  'Query.deliveryStatistics': 'read',
  'Query.replay': 'read',
  'Query.replays': 'read',
  'Query.erasure': 'admin',
  'Query.klaviyoApp': 'read',
  'Query.klaviyoScopes': 'read',

  'Mutation.upsertOrganization': 'platform',
  'Mutation.deleteOrganization': 'platform',
  'Mutation.createApiKey': 'admin',
  'Mutation.revokeApiKey': 'admin',
  'Mutation.createSession': 'admin',
  'Mutation.endSession': 'admin',
  'Mutation.revealSigningSecret': 'admin',
  'Mutation.rotateSigningSecret': 'admin',
  'Mutation.eraseRecipient': 'admin',
  'Mutation.createConnection': 'manage',
  'Mutation.updateConnection': 'manage',
  'Mutation.deleteConnection': 'manage',
  'Mutation.startAuthorization': 'manage',
  'Mutation.revokeAuthorization': 'manage',
  'Mutation.checkConnection': 'manage',
  'Mutation.claimInstall': 'manage',
  'Mutation.createSubscription': 'manage',
  'Mutation.updateSubscription': 'manage',
  'Mutation.deleteSubscription': 'manage',
  'Mutation.broadcastTestEvent': 'manage',
  'Mutation.retryDelivery': 'manage',
  'Mutation.replayDeliveries': 'manage',
  'Mutation.stopReplay': 'manage',
  'Mutation.publishEvent': 'publish',
  'Mutation.publishEvents': 'publish',

  'Live.connectionUpdated': 'read',
  'Live.connectionDeleted': 'read',
  'Live.deliveryUpdated': 'read',
  'Live.subscriptionDeleted': 'read',

  'Caller.session': null,
  'Caller.organization': 'read',
  'Session.connection': 'read',
  'Connection.deliveries': 'read',
  'Connection.subscriptions': 'read',
  'Subscription.connection': 'read',
  'Event.deliveries': 'read',
  'Delivery.event': 'read',
  'Delivery.subscription': 'read',
  'Delivery.connection': 'read',
  'Delivery.attempts': 'read',
  'Replay.connection': 'read',
};

/** The same for a platform that acts for no organization: which of them it asks for, it says in the arguments. */
export const platformFieldScopes: typeof fieldScopes = {
  ...fieldScopes,
  'Query.organization': 'platform',
  'Caller.organization': 'platform',
};

/** The scopes that a key needs for all of these fields (`Type.field`). A connection type says so in a field's `extensions`. */
export function scopesOf(schema: GraphQLSchema, fields: Iterable<string>, scopesOfFields = fieldScopes): Set<Scope> {
  return new Set([...fields].flatMap((field) => scopesOfFields[field] ?? extensionOf(schema, field) ?? []));
}

function extensionOf(schema: GraphQLSchema, coordinate: string): ApiKeyScope | undefined {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  return isObjectType(type) ? (type.getFields()[fieldName]?.extensions.scope as ApiKeyScope | undefined) : undefined;
}

/** Every field that an operation names, as `Type.field`, so that it can be refused as a whole before any of it is done. */
export function fieldsOf(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): Set<string> {
  const fragments = new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const fields = new Set<string>();
  const seen = new Set<string>();
  const waiting: (OperationDefinitionNode | FragmentDefinitionNode)[] = [operation];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const types = new TypeInfo(schema);
    visit(
      node,
      visitWithTypeInfo(types, {
        Field({ name }) {
          fields.add(`${types.getParentType()?.name}.${name.value}`);
        },
        FragmentSpread({ name }) {
          const fragment = fragments.get(name.value);
          if (!fragment || seen.has(name.value)) return;
          seen.add(name.value);
          waiting.push(fragment);
        },
      }),
    );
  }
  return fields;
}
