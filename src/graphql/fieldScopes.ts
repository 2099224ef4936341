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
 * The scope that each field requires; null: any credentials do. A field that is not listed needs no scope beyond that of its
 * parent. A mutation returns the object that it changed; related objects require `read`, as in a query. Fields of connection
 * types have their scope in `extensions.scope`.
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

/** The scopes for a platform that acts for no organization and names one in the arguments. */
export const platformFieldScopes: typeof fieldScopes = {
  ...fieldScopes,
  'Query.organization': 'platform',
  'Caller.organization': 'platform',
};

/** Returns the scopes that these fields (`Type.field`) require. */
export function scopesOf(schema: GraphQLSchema, fields: Iterable<string>, scopesOfFields = fieldScopes): Set<Scope> {
  return new Set([...fields].flatMap((field) => scopesOfFields[field] ?? extensionOf(schema, field) ?? []));
}

function extensionOf(schema: GraphQLSchema, coordinate: string): ApiKeyScope | undefined {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  return isObjectType(type) ? (type.getFields()[fieldName]?.extensions.scope as ApiKeyScope | undefined) : undefined;
}

/** Returns every field that an operation selects, as `Type.field`, so that the operation can be refused before it runs. */
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
