import { type Cache, cacheExchange, type UpdateResolver } from '@urql/exchange-graphcache';
import type { Exchange } from 'urql';

/** The roots of the schema: without them, the type `Subscription` would be taken for the root of live updates. */
const ROOTS = { queryType: { name: 'Query' }, mutationType: { name: 'Mutation' }, subscriptionType: { name: 'Live' } };

const WITHOUT_ID = [
  'Attempt',
  'AttemptError',
  'BroadcastResult',
  'Caller',
  'ConnectionCheck',
  'DeletedConnection',
  'DeletedSubscription',
  'DeliveryStatistics',
  'DeliveryStatisticsInterval',
  'Header',
  'KlaviyoApp',
  'KlaviyoConfiguration',
  'KlaviyoQuota',
  'OrganizationDeletion',
  'WebhookConfiguration',
];

/** One normalized cache: what a mutation or a live update says of a thing is shown wherever the thing is. */
export function createCache(): Exchange {
  return cacheExchange({
    // Only the roots are known of the schema, which is all that is needed here.
    schema: { __schema: ROOTS } as never,
    keys: {
      ...Object.fromEntries(WITHOUT_ID.map((type) => [type, () => null])),
      EventType: ({ name }) => name as string,
      KlaviyoScope: ({ name }) => name as string,
    },
    updates: {
      Mutation: {
        createConnection: (_result, _args, cache) => forget(cache, 'Query', 'connections'),
        createSubscription: (_result, { input }, cache) => {
          forget(cache, 'Query', 'subscriptions');
          const { connectionId } = input as { connectionId: string };
          forget(cache, { __typename: 'Connection', id: connectionId }, 'subscriptions');
        },
        deleteConnection: remove('Connection', 'deleteConnection'),
        deleteSubscription: remove('Subscription', 'deleteSubscription'),
        createApiKey: (_result, _args, cache) => forget(cache, 'Query', 'apiKeys'),
        createSession: (_result, _args, cache) => forget(cache, 'Query', 'sessions'),
        publishEvent: (_result, _args, cache) => forget(cache, 'Query', 'events'),
      },
      Live: {
        connectionUpdated: noticeNewConnection,
        connectionDeleted: remove('Connection', 'connectionDeleted'),
        subscriptionDeleted: remove('Subscription', 'subscriptionDeleted'),
      },
    },
  });
}

/** Has the lists in a field read anew wherever they are shown. */
function forget(cache: Cache, entity: Parameters<Cache['inspectFields']>[0], name: string): void {
  for (const { fieldName, arguments: args } of cache.inspectFields(entity)) {
    if (fieldName === name) cache.invalidate(entity as never, fieldName, args as never);
  }
}

/** Takes a thing out, with the lists that it stood in. */
function remove(type: 'Connection' | 'Subscription', field: string): UpdateResolver {
  return (result, _args, cache) => {
    const id = (result[field] as { deletedId?: string | null } | null)?.deletedId;
    if (!id) return;
    const thing = { __typename: type, id };
    const connection = type === 'Subscription' ? cache.resolve(thing, 'connection') : null;
    if (typeof connection === 'string') forget(cache, connection, 'subscriptions');
    forget(cache, 'Query', type === 'Connection' ? 'connections' : 'subscriptions');
    cache.invalidate(thing);
  };
}

/** A connection that stands in no list yet was created elsewhere, or begins to fit a filter: the lists are read anew. */
function noticeNewConnection(...[result, _args, cache]: Parameters<UpdateResolver>): void {
  const key = cache.keyOfEntity(result.connectionUpdated as never);
  for (const { fieldName, arguments: args } of cache.inspectFields('Query')) {
    if (fieldName !== 'connections') continue;
    const edges = cache.resolve(cache.resolve('Query', fieldName, args as never) as string, 'edges') as string[] | null;
    if (!edges?.some((edge) => cache.resolve(edge, 'node') === key)) cache.invalidate('Query', fieldName, args as never);
  }
}
