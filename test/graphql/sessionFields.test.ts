import { isObjectType } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { connectionTypes } from '../../src/compose.js';
import { buildSchema } from '../../src/graphql/buildSchema.js';
import { sessionFields } from '../../src/graphql/sessionFields.js';

const schema = buildSchema(
  pino({ enabled: false }),
  connectionTypes.map(({ graphql }) => graphql),
);
const fields = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__'))
  .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));

/** Those that a permission may use, of a type. */
const rootsFor = (permission: 'connect' | 'view' | 'manage') =>
  [...sessionFields]
    .filter(([field, permissions]) => /^(Query|Mutation|Live)\./.test(field) && permissions.includes(permission))
    .map(([field]) => field)
    .sort();

describe('What a session may use', () => {
  it('is decided for every field of the schema: a new one has to be added to sessionFields.ts', () => {
    expect(fields.filter((field) => !sessionFields.has(field))).toEqual([]);
    expect([...sessionFields.keys()].filter((field) => !fields.includes(field))).toEqual([]);
  });

  it('with CONNECT is its own connection, and linking it', () => {
    expect(rootsFor('connect')).toEqual([
      ...['Live.connectionDeleted', 'Live.connectionUpdated', 'Mutation.startAuthorization'],
      ...['Query.caller', 'Query.connection', 'Query.session'],
    ]);
  });

  it('with VIEW is to look, and nothing that changes anything', () => {
    expect(rootsFor('view')).toEqual([
      ...['Live.connectionDeleted', 'Live.connectionUpdated', 'Live.deliveryUpdated', 'Live.subscriptionDeleted'],
      ...['Query.caller', 'Query.connection', 'Query.connections', 'Query.deliveries'],
      ...[
        'Query.delivery',
        'Query.deliveryStatistics',
        'Query.eventTypes',
        'Query.klaviyoScopes',
        'Query.organization',
        'Query.replay',
        'Query.replays',
        'Query.session',
      ],
      ...['Query.subscription', 'Query.subscriptions'],
    ]);
  });

  it('with MANAGE is what VIEW may, and connections, subscriptions and deliveries', () => {
    const more = rootsFor('manage').filter((field) => !rootsFor('view').includes(field));
    expect(rootsFor('view').filter((field) => !rootsFor('manage').includes(field))).toEqual([]);
    expect(more).toEqual(
      [
        ...['broadcastTestEvent', 'checkConnection', 'createConnection', 'createSubscription', 'deleteConnection'],
        ...['deleteSubscription', 'replayDeliveries', 'retryDelivery', 'revokeAuthorization', 'stopReplay', 'updateConnection'],
        'updateSubscription',
      ].map((name) => `Mutation.${name}`),
    );
  });

  it('is never a payload, a person, a secret, a key or a session', () => {
    const suspects = fields.filter((field) =>
      /^(ApiKey|CreateApiKeyPayload|SigningSecretPayload|CreateSessionPayload|SessionPayload)\.|payload$|recipient|secret|token$|\.properties$|idempotencyKey|responseBody|Header\.value/i.test(
        field,
      ),
    );
    expect(suspects.length).toBeGreaterThan(15);
    // What a test sent is a sample.
    const allowed = suspects.filter((field) => sessionFields.get(field)?.length !== 0);
    expect(allowed).toEqual(['BroadcastResult.responseBody']);
  });
});
