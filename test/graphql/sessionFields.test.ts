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

/** Returns the root fields of a type that a permission may use. */
const rootsFor = (permission: 'connect' | 'view' | 'manage') =>
  [...sessionFields]
    .filter(([field, permissions]) => /^(Query|Mutation|Live)\./.test(field) && permissions.includes(permission))
    .map(([field]) => field)
    .sort();

describe('The fields that a session may use', () => {
  it('are listed for every field of the schema: a new one must be added to sessionFields.ts', () => {
    expect(fields.filter((field) => !sessionFields.has(field))).toEqual([]);
    expect([...sessionFields.keys()].filter((field) => !fields.includes(field))).toEqual([]);
  });

  it('with CONNECT are those of its own connection, and those that link it', () => {
    expect(rootsFor('connect')).toEqual([
      ...['Live.connectionDeleted', 'Live.connectionUpdated', 'Mutation.startAuthorization'],
      ...['Query.caller', 'Query.connection', 'Query.session'],
    ]);
  });

  it('with VIEW are for reading only', () => {
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

  it('with MANAGE are those of VIEW, and those of connections, subscriptions and deliveries', () => {
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

  it('never include the data of an event, a person, a secret, a key or a session', () => {
    const suspects = fields.filter((field) =>
      /^(ApiKey|CreateApiKeyPayload|SigningSecretPayload|CreateSessionPayload|SessionPayload)\.|payload$|^Event\.data$|recipient|secret|token$|\.properties$|idempotencyKey|responseBody|Header\.value/i.test(
        field,
      ),
    );
    expect(suspects.length).toBeGreaterThan(15);
    // A test broadcast sends a sample.
    const allowed = suspects.filter((field) => sessionFields.get(field)?.length !== 0);
    expect(allowed).toEqual(['BroadcastResult.responseBody']);
  });
});
