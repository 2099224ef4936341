/** The caller's own object that an operation takes besides the id. An install belongs to nobody until it is claimed. */
export type Own = 'connection' | 'subscription' | 'event' | 'install';
export type Kind =
  | 'connection'
  | 'subscription'
  | 'event'
  | 'delivery'
  | 'apiKey'
  | 'replay'
  | 'organization'
  | 'erasure'
  | 'session';

const ERRORS = 'userErrors { code message path }';
const filtered = (list: string, field: string) =>
  `query ($id: ID!) { ${list}(filter: { ${field}: $id }) { totalCount edges { node { id } } } }`;
const change = (name: string, input: string, result: string) =>
  `mutation ($id: ID!) { ${name}(input: { ${input} }) { ${result} ${ERRORS} } }`;
/** Returns an operation with a list below an object of the caller's own. */
const below = (parent: string, list: string, field: string) =>
  `query ($id: ID!, $own: ID!) { ${parent}(id: $own) { ${list}(filter: { ${field}: $id }) { totalCount edges { node { id } } } } }`;

/**
 * Every place of the schema that takes an id: the kind of its object, and an operation that puts `$id` there. `$own` is the
 * caller's own connection, subscription, event or install, as `own` says. A new place must be added here.
 */
export const idOperations: Record<string, { kind: Kind; operation: string; own?: Own }> = {
  'Query.organization(id)': { kind: 'organization', operation: 'query ($id: ID!) { organization(id: $id) { id name } }' },
  'Query.erasure(id)': { kind: 'erasure', operation: 'query ($id: ID!) { erasure(id: $id) { id status } }' },
  'Query.connection(id)': { kind: 'connection', operation: 'query ($id: ID!) { connection(id: $id) { id } }' },
  'Query.subscription(id)': { kind: 'subscription', operation: 'query ($id: ID!) { subscription(id: $id) { id } }' },
  'Query.event(id)': { kind: 'event', operation: 'query ($id: ID!) { event(id: $id) { id data payload } }' },
  'Query.replay(id)': { kind: 'replay', operation: 'query ($id: ID!) { replay(id: $id) { id count } }' },
  'Query.replays(filter.connectionId)': { kind: 'connection', operation: filtered('replays', 'connectionId') },
  'Query.delivery(id)': { kind: 'delivery', operation: 'query ($id: ID!) { delivery(id: $id) { id } }' },
  'Query.subscriptions(filter.connectionId)': { kind: 'connection', operation: filtered('subscriptions', 'connectionId') },
  'Query.sessions(filter.connectionId)': { kind: 'connection', operation: filtered('sessions', 'connectionId') },
  'Query.deliveries(filter.connectionId)': { kind: 'connection', operation: filtered('deliveries', 'connectionId') },
  'Query.deliveryStatistics(connectionId)': {
    kind: 'connection',
    operation: `query ($id: ID!) {
      deliveryStatistics(from: "${new Date(Date.now() - 60_000).toISOString()}", connectionId: $id) { delivered failed retried } }`,
  },
  'Query.deliveries(filter.subscriptionId)': { kind: 'subscription', operation: filtered('deliveries', 'subscriptionId') },
  'Query.deliveries(filter.eventId)': { kind: 'event', operation: filtered('deliveries', 'eventId') },

  'Query.auditEvents(filter.subjectId)': { kind: 'connection', operation: filtered('auditEvents', 'subjectId') },

  'Connection.subscriptions(filter.connectionId)': {
    ...{ kind: 'connection', own: 'connection' },
    operation: below('connection', 'subscriptions', 'connectionId'),
  },
  'Connection.deliveries(filter.connectionId)': {
    ...{ kind: 'connection', own: 'connection' },
    operation: below('connection', 'deliveries', 'connectionId'),
  },
  'Connection.deliveries(filter.subscriptionId)': {
    ...{ kind: 'subscription', own: 'connection' },
    operation: below('connection', 'deliveries', 'subscriptionId'),
  },
  'Connection.deliveries(filter.eventId)': {
    ...{ kind: 'event', own: 'connection' },
    operation: below('connection', 'deliveries', 'eventId'),
  },
  'Event.deliveries(filter.connectionId)': {
    ...{ kind: 'connection', own: 'event' },
    operation: below('event', 'deliveries', 'connectionId'),
  },
  'Event.deliveries(filter.subscriptionId)': {
    ...{ kind: 'subscription', own: 'event' },
    operation: below('event', 'deliveries', 'subscriptionId'),
  },
  'Event.deliveries(filter.eventId)': { ...{ kind: 'event', own: 'event' }, operation: below('event', 'deliveries', 'eventId') },

  'Mutation.updateConnection(input.id)': {
    kind: 'connection',
    operation: change('updateConnection', 'id: $id, name: "taken"', 'connection { id }'),
  },
  'Mutation.deleteConnection(input.id)': { kind: 'connection', operation: change('deleteConnection', 'id: $id', 'deletedId') },
  'Mutation.startAuthorization(input.connectionId)': {
    kind: 'connection',
    operation: change('startAuthorization', 'connectionId: $id', 'authorizationUrl'),
  },
  'Mutation.revokeAuthorization(input.connectionId)': {
    kind: 'connection',
    operation: change('revokeAuthorization', 'connectionId: $id', 'connection { id }'),
  },
  'Mutation.checkConnection(input.id)': {
    kind: 'connection',
    operation: change('checkConnection', 'id: $id', 'result { outcome } connection { id }'),
  },
  'Mutation.checkConnection(input.connectionId)': {
    kind: 'connection',
    operation: change('checkConnection', 'connectionId: $id', 'result { outcome } connection { id }'),
  },
  'Mutation.claimInstall(input.connectionId)': {
    ...{ kind: 'connection', own: 'install' },
    operation: `mutation ($id: ID!, $own: String!) { claimInstall(input: { install: $own, connectionId: $id }) { connection { id } authorizationUrl ${ERRORS} } }`,
  },
  'Mutation.createSubscription(input.connectionId)': {
    kind: 'connection',
    operation: change('createSubscription', 'connectionId: $id, eventType: "parcels.event.created"', 'subscription { id }'),
  },
  'Mutation.updateSubscription(input.id)': {
    kind: 'subscription',
    operation: change('updateSubscription', 'id: $id, isActive: false', 'subscription { id }'),
  },
  'Mutation.updateSubscription(input.connectionId)': {
    ...{ kind: 'connection', own: 'subscription' },
    operation: `mutation ($id: ID!, $own: ID!) { updateSubscription(input: { id: $own, connectionId: $id }) { subscription { id } ${ERRORS} } }`,
  },
  'Mutation.deleteSubscription(input.id)': {
    kind: 'subscription',
    operation: change('deleteSubscription', 'id: $id', 'deletedId'),
  },
  'Mutation.broadcastTestEvent(input.subscriptionId)': {
    kind: 'subscription',
    operation: change('broadcastTestEvent', 'subscriptionId: $id', 'result { success }'),
  },
  'Mutation.retryDelivery(input.id)': {
    kind: 'delivery',
    operation: change('retryDelivery', 'id: $id', 'delivery { id }'),
  },
  'Mutation.retryDelivery(input.deliveryId)': {
    kind: 'delivery',
    operation: change('retryDelivery', 'deliveryId: $id', 'delivery { id }'),
  },
  'Mutation.replayDeliveries(input.subscriptionId)': {
    ...{ kind: 'subscription', own: 'connection' },
    operation: `mutation ($id: ID!, $own: ID!) {
      replayDeliveries(input: { connectionId: $own, subscriptionId: $id, since: "2020-01-01T00:00:00Z" }) { count ${ERRORS} } }`,
  },
  'Mutation.replayDeliveries(input.connectionId)': {
    kind: 'connection',
    operation: change('replayDeliveries', 'connectionId: $id, since: "2020-01-01T00:00:00Z"', 'count'),
  },
  'Mutation.stopReplay(input.id)': { kind: 'replay', operation: change('stopReplay', 'id: $id', 'replay { id }') },
  'Mutation.revealSigningSecret(input.connectionId)': {
    kind: 'connection',
    operation: change('revealSigningSecret', 'connectionId: $id', 'signingSecret'),
  },
  'Mutation.rotateSigningSecret(input.connectionId)': {
    kind: 'connection',
    operation: change('rotateSigningSecret', 'connectionId: $id', 'signingSecret'),
  },
  'Mutation.createSession(input.connectionId)': {
    kind: 'connection',
    operation: change('createSession', 'permissions: [VIEW], connectionId: $id', 'session { id } token'),
  },
  'Mutation.endSession(input.id)': { kind: 'session', operation: change('endSession', 'id: $id', 'session { id }') },
  'Mutation.revokeApiKey(input.id)': { kind: 'apiKey', operation: change('revokeApiKey', 'id: $id', 'apiKey { id }') },
};

/** Operations that only a platform may use. Other callers are refused before the id is looked up. */
export const platformOperations: Record<string, string> = {
  'Query.organizations': '{ organizations { totalCount } }',
  'Mutation.upsertOrganization': `mutation ($id: String!) { upsertOrganization(input: { externalId: $id }) { created ${ERRORS} } }`,
  'Mutation.deleteOrganization(input.id)': change('deleteOrganization', 'id: $id', 'organization { id }'),
};

/** Operations that find an object by its organization's externalId. */
export const externalIdOperations = [
  'query ($id: String!) { found: connection(externalId: $id) { id } }',
  'query ($id: String!) { found: subscription(externalId: $id) { id } }',
  'query ($id: String!) { found: organization(externalId: $id) { id } }',
  'query ($id: String!) { found: connections(filter: { externalId: $id }) { totalCount edges { node { id } } } }',
  'query ($id: String!) { found: subscriptions(filter: { externalId: $id }) { totalCount edges { node { id } } } }',
];

/** Root fields without an id. They are listed so that every new field is considered. */
export const rootFieldsWithoutId = [
  ...[
    'Query.caller',
    'Query.session',
    'Query.connections',
    'Query.events',
    'Query.eventTypes',
    'Query.klaviyoScopes',
    'Query.klaviyoApp',
  ],
  ...['Query.apiKeys', 'Mutation.createConnection', 'Mutation.publishEvent', 'Mutation.publishEvents', 'Mutation.createApiKey'],
  ...['Query.organizations', 'Mutation.upsertOrganization', 'Mutation.eraseRecipient'],
];

/** The places of `Live` that take an id: the kind of the object, and a subscription that puts `$id` there. */
export const liveIdOperations: Record<string, { kind: Kind; operation: string }> = {
  'Live.connectionUpdated(id)': {
    kind: 'connection',
    operation: 'subscription ($id: ID!) { connectionUpdated(id: $id) { id } }',
  },
  'Live.connectionDeleted(id)': {
    kind: 'connection',
    operation: 'subscription ($id: ID!) { connectionDeleted(id: $id) { deletedId } }',
  },
  'Live.subscriptionDeleted(connectionId)': {
    kind: 'connection',
    operation: 'subscription ($id: ID!) { subscriptionDeleted(connectionId: $id) { deletedId } }',
  },
  'Live.deliveryUpdated(connectionId)': {
    kind: 'connection',
    operation: 'subscription ($id: ID!) { deliveryUpdated(connectionId: $id) { id } }',
  },
};
