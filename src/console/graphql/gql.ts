/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query OrganizationName { organization { id name } }\n": typeof types.OrganizationNameDocument,
    "\n  subscription WatchConnections { connectionUpdated { ...ConnectionRow } }\n": typeof types.WatchConnectionsDocument,
    "\n  subscription WatchDeletedConnections { connectionDeleted { deletedId } }\n": typeof types.WatchDeletedConnectionsDocument,
    "\n  subscription WatchDeletedSubscriptions { subscriptionDeleted { deletedId connectionId } }\n": typeof types.WatchDeletedSubscriptionsDocument,
    "\n  mutation OpenConsole($input: CreateSessionInput!) {\n    createSession(input: $input) {\n      session { id expiresAt }\n      token\n      userErrors { code message path }\n    }\n  }\n": typeof types.OpenConsoleDocument,
    "\n  mutation LeaveConsole($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n": typeof types.LeaveConsoleDocument,
    "\n  query WhoCalls {\n    session { id permissions locale connection { id } }\n  }\n": typeof types.WhoCallsDocument,
    "\n  query Credentials { caller { credential scopes } }\n": typeof types.CredentialsDocument,
    "\n  query OwnOrganization { organization { id } }\n": typeof types.OwnOrganizationDocument,
    "\n  mutation MakeConnectLink($input: CreateSessionInput!) {\n    createSession(input: $input) { url userErrors { code message path } }\n  }\n": typeof types.MakeConnectLinkDocument,
    "\n  mutation StartAuthorization($connectionId: ID!) {\n    startAuthorization(input: { connectionId: $connectionId }) { authorizationUrl userErrors { code message path } }\n  }\n": typeof types.StartAuthorizationDocument,
    "\n  query Connection($id: ID!) {\n    connection(id: $id) {\n      ...ConnectionRow\n      maxConcurrency\n      maxPerSecond\n      externalId\n    }\n    subscriptions(first: 100, filter: { connectionId: $id }) { edges { node { ...SubscriptionRow } } }\n  }\n": typeof types.ConnectionDocument,
    "\n  mutation DeleteConnection($id: ID!) {\n    deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n": typeof types.DeleteConnectionDocument,
    "\n  mutation SwitchConnection($id: ID!, $isEnabled: Boolean!) {\n    updateConnection(input: { id: $id, isEnabled: $isEnabled }) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.SwitchConnectionDocument,
    "\n  mutation CheckConnection($id: ID!) {\n    checkConnection(input: { connectionId: $id }) {\n      result { outcome message checkedAt }\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.CheckConnectionDocument,
    "\n  query Connections($first: Int!, $after: String, $filter: ConnectionFilter) {\n    connections(first: $first, after: $after, filter: $filter) {\n      edges { node { ...ConnectionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.ConnectionsDocument,
    "\n  mutation UpdateConnection($input: UpdateConnectionInput!) {\n    updateConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.UpdateConnectionDocument,
    "\n  mutation CreateConnection($input: CreateConnectionInput!) {\n    createConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.CreateConnectionDocument,
    "\n  mutation RevealSigningSecret($id: ID!) {\n    revealSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n": typeof types.RevealSigningSecretDocument,
    "\n  mutation RotateSigningSecret($id: ID!) {\n    rotateSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n": typeof types.RotateSigningSecretDocument,
    "\n  fragment ConnectionRow on Connection {\n    id\n    type\n    name\n    status\n    isEnabled\n    statusReason\n    statusReasonCode\n    problem\n    problemCode\n    createdAt\n    updatedAt\n    account { id name }\n    configuration {\n      __typename\n      ... on WebhookConfiguration { url authType }\n      ... on KlaviyoConfiguration { requestedScopes }\n    }\n  }\n": typeof types.ConnectionRowFragmentDoc,
    "\n  query FilterConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": typeof types.FilterConnectionsDocument,
    "\n  query Delivery($id: ID!) {\n    delivery(id: $id) {\n      ...DeliveryRow\n      event { id occurredAt erasedAt }\n      subscription { id }\n      attempts { number trigger statusCode durationMs startedAt error { code } }\n    }\n  }\n": typeof types.DeliveryDocument,
    "\n  query DeliveryContent($id: ID!) {\n    delivery(id: $id) {\n      id\n      event { id data }\n      attempts { number responseBody error { code message } }\n    }\n  }\n": typeof types.DeliveryContentDocument,
    "\n  subscription WatchDelivery { deliveryUpdated { id status updatedAt } }\n": typeof types.WatchDeliveryDocument,
    "\n  mutation RetryDelivery($id: ID!) {\n    retryDelivery(input: { deliveryId: $id }) {\n      delivery { ...DeliveryRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.RetryDeliveryDocument,
    "\n  query ReplayConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": typeof types.ReplayConnectionsDocument,
    "\n  mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {\n    replayDeliveries(input: $input) {\n      replay { id status count finishedAt }\n      userErrors { code message path }\n    }\n  }\n": typeof types.ReplayDeliveriesDocument,
    "\n  query ReplayProgress($id: ID!) { replay(id: $id) { id status count finishedAt } }\n": typeof types.ReplayProgressDocument,
    "\n  mutation StopReplay($id: ID!) {\n    stopReplay(input: { id: $id }) { replay { id status count finishedAt } userErrors { code message path } }\n  }\n": typeof types.StopReplayDocument,
    "\n  fragment DeliveryRow on Delivery {\n    id\n    status\n    attemptCount\n    nextAttemptAt\n    createdAt\n    updatedAt\n    event { id eventType }\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n": typeof types.DeliveryRowFragmentDoc,
    "\n  query Deliveries($first: Int!, $after: String, $filter: DeliveryFilter) {\n    deliveries(first: $first, after: $after, filter: $filter) {\n      edges { node { ...DeliveryRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.DeliveriesDocument,
    "\n  subscription WatchDeliveries($connectionId: ID) { deliveryUpdated(connectionId: $connectionId) { ...DeliveryRow } }\n": typeof types.WatchDeliveriesDocument,
    "\n  query ApiKeys { apiKeys(first: 100) { edges { node { ...ApiKeyRow } } } }\n": typeof types.ApiKeysDocument,
    "\n  fragment ApiKeyRow on ApiKey { id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt }\n": typeof types.ApiKeyRowFragmentDoc,
    "\n  mutation CreateApiKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) { apiKey { ...ApiKeyRow } secretKey userErrors { code message path } }\n  }\n": typeof types.CreateApiKeyDocument,
    "\n  mutation RevokeApiKey($id: ID!) {\n    revokeApiKey(input: { id: $id }) { apiKey { ...ApiKeyRow } userErrors { code message path } }\n  }\n": typeof types.RevokeApiKeyDocument,
    "\n  query AuditLog($first: Int!, $after: String) {\n    auditEvents(first: $first, after: $after) {\n      edges { node { id action actorType actorId address subjectType subjectId before after createdAt } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.AuditLogDocument,
    "\n  query Sessions {\n    sessions(first: 100) {\n      edges { node { id permissions origin createdAt expiresAt endedAt connection { id name } } }\n    }\n  }\n": typeof types.SessionsDocument,
    "\n  mutation EndSession($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n": typeof types.EndSessionDocument,
    "\n  query Event($id: ID!) {\n    event(id: $id) {\n      id\n      eventType\n      createdAt\n      occurredAt\n      erasedAt\n      idempotencyKey\n      orderingKey\n      data\n      deliveries(first: 100) { edges { node { ...DeliveryRow } } }\n    }\n  }\n": typeof types.EventDocument,
    "\n  subscription WatchEvent { deliveryUpdated { ...DeliveryRow } }\n": typeof types.WatchEventDocument,
    "\n  query Events($first: Int!, $after: String, $filter: EventFilter) {\n    events(first: $first, after: $after, filter: $filter) {\n      edges { node { id eventType createdAt idempotencyKey } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.EventsDocument,
    "\n  query EventTypes { eventTypes { name description schema sample } }\n": typeof types.EventTypesDocument,
    "\n  query PublishableTypes { eventTypes { name sample } }\n": typeof types.PublishableTypesDocument,
    "\n  mutation PublishEvent($input: PublishEventInput!) {\n    publishEvent(input: $input) {\n      event { id eventType createdAt }\n      duplicate\n      userErrors { code message path }\n    }\n  }\n": typeof types.PublishEventDocument,
    "\n  query Organizations($first: Int!, $after: String, $filter: OrganizationFilter) {\n    organizations(first: $first, after: $after, filter: $filter) {\n      edges { node { id name externalId createdAt deletion { requestedAt } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.OrganizationsDocument,
    "\n  query Overview {\n    connections(first: 1) { edges { node { ...ConnectionRow } } }\n    attention: connections(first: 50, filter: { needsAttention: true }) { edges { node { ...ConnectionRow } } }\n    subscriptions(first: 1) { edges { node { id } } }\n  }\n": typeof types.OverviewDocument,
    "\n  query Statistics($from: DateTime!) {\n    deliveryStatistics(from: $from) {\n      intervalSeconds\n      delivered\n      failed\n      retried\n      successRate\n      p50Ms\n      p95Ms\n      intervals { start delivered failed retried }\n    }\n    organization { id oldestWaiting }\n  }\n": typeof types.StatisticsDocument,
    "\n  query ConnectionNames { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": typeof types.ConnectionNamesDocument,
    "\n  mutation SendTest($id: ID!) {\n    broadcastTestEvent(input: { subscriptionId: $id }) {\n      result { success statusCode responseBody durationMs error { code message } }\n      userErrors { code message path }\n    }\n  }\n": typeof types.SendTestDocument,
    "\n  mutation SwitchSubscription($id: ID!, $isActive: Boolean!) {\n    updateSubscription(input: { id: $id, isActive: $isActive }) {\n      subscription { id isActive updatedAt }\n      userErrors { code message path }\n    }\n  }\n": typeof types.SwitchSubscriptionDocument,
    "\n  mutation DeleteSubscription($id: ID!) {\n    deleteSubscription(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n": typeof types.DeleteSubscriptionDocument,
    "\n  query Subscriptions($first: Int!, $after: String, $filter: SubscriptionFilter) {\n    subscriptions(first: $first, after: $after, filter: $filter) {\n      edges { node { ...SubscriptionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": typeof types.SubscriptionsDocument,
    "\n  query EventTypeNames { eventTypes { name description } }\n": typeof types.EventTypeNamesDocument,
    "\n  fragment SubscriptionRow on Subscription {\n    id\n    eventType\n    isActive\n    createdAt\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n": typeof types.SubscriptionRowFragmentDoc,
    "\n  mutation CreateSubscription($input: CreateSubscriptionInput!) {\n    createSubscription(input: $input) {\n      subscription { ...SubscriptionRow }\n      userErrors { code message path }\n    }\n  }\n": typeof types.CreateSubscriptionDocument,
};
const documents: Documents = {
    "\n  query OrganizationName { organization { id name } }\n": types.OrganizationNameDocument,
    "\n  subscription WatchConnections { connectionUpdated { ...ConnectionRow } }\n": types.WatchConnectionsDocument,
    "\n  subscription WatchDeletedConnections { connectionDeleted { deletedId } }\n": types.WatchDeletedConnectionsDocument,
    "\n  subscription WatchDeletedSubscriptions { subscriptionDeleted { deletedId connectionId } }\n": types.WatchDeletedSubscriptionsDocument,
    "\n  mutation OpenConsole($input: CreateSessionInput!) {\n    createSession(input: $input) {\n      session { id expiresAt }\n      token\n      userErrors { code message path }\n    }\n  }\n": types.OpenConsoleDocument,
    "\n  mutation LeaveConsole($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n": types.LeaveConsoleDocument,
    "\n  query WhoCalls {\n    session { id permissions locale connection { id } }\n  }\n": types.WhoCallsDocument,
    "\n  query Credentials { caller { credential scopes } }\n": types.CredentialsDocument,
    "\n  query OwnOrganization { organization { id } }\n": types.OwnOrganizationDocument,
    "\n  mutation MakeConnectLink($input: CreateSessionInput!) {\n    createSession(input: $input) { url userErrors { code message path } }\n  }\n": types.MakeConnectLinkDocument,
    "\n  mutation StartAuthorization($connectionId: ID!) {\n    startAuthorization(input: { connectionId: $connectionId }) { authorizationUrl userErrors { code message path } }\n  }\n": types.StartAuthorizationDocument,
    "\n  query Connection($id: ID!) {\n    connection(id: $id) {\n      ...ConnectionRow\n      maxConcurrency\n      maxPerSecond\n      externalId\n    }\n    subscriptions(first: 100, filter: { connectionId: $id }) { edges { node { ...SubscriptionRow } } }\n  }\n": types.ConnectionDocument,
    "\n  mutation DeleteConnection($id: ID!) {\n    deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n": types.DeleteConnectionDocument,
    "\n  mutation SwitchConnection($id: ID!, $isEnabled: Boolean!) {\n    updateConnection(input: { id: $id, isEnabled: $isEnabled }) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": types.SwitchConnectionDocument,
    "\n  mutation CheckConnection($id: ID!) {\n    checkConnection(input: { connectionId: $id }) {\n      result { outcome message checkedAt }\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": types.CheckConnectionDocument,
    "\n  query Connections($first: Int!, $after: String, $filter: ConnectionFilter) {\n    connections(first: $first, after: $after, filter: $filter) {\n      edges { node { ...ConnectionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.ConnectionsDocument,
    "\n  mutation UpdateConnection($input: UpdateConnectionInput!) {\n    updateConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": types.UpdateConnectionDocument,
    "\n  mutation CreateConnection($input: CreateConnectionInput!) {\n    createConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n": types.CreateConnectionDocument,
    "\n  mutation RevealSigningSecret($id: ID!) {\n    revealSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n": types.RevealSigningSecretDocument,
    "\n  mutation RotateSigningSecret($id: ID!) {\n    rotateSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n": types.RotateSigningSecretDocument,
    "\n  fragment ConnectionRow on Connection {\n    id\n    type\n    name\n    status\n    isEnabled\n    statusReason\n    statusReasonCode\n    problem\n    problemCode\n    createdAt\n    updatedAt\n    account { id name }\n    configuration {\n      __typename\n      ... on WebhookConfiguration { url authType }\n      ... on KlaviyoConfiguration { requestedScopes }\n    }\n  }\n": types.ConnectionRowFragmentDoc,
    "\n  query FilterConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": types.FilterConnectionsDocument,
    "\n  query Delivery($id: ID!) {\n    delivery(id: $id) {\n      ...DeliveryRow\n      event { id occurredAt erasedAt }\n      subscription { id }\n      attempts { number trigger statusCode durationMs startedAt error { code } }\n    }\n  }\n": types.DeliveryDocument,
    "\n  query DeliveryContent($id: ID!) {\n    delivery(id: $id) {\n      id\n      event { id data }\n      attempts { number responseBody error { code message } }\n    }\n  }\n": types.DeliveryContentDocument,
    "\n  subscription WatchDelivery { deliveryUpdated { id status updatedAt } }\n": types.WatchDeliveryDocument,
    "\n  mutation RetryDelivery($id: ID!) {\n    retryDelivery(input: { deliveryId: $id }) {\n      delivery { ...DeliveryRow }\n      userErrors { code message path }\n    }\n  }\n": types.RetryDeliveryDocument,
    "\n  query ReplayConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": types.ReplayConnectionsDocument,
    "\n  mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {\n    replayDeliveries(input: $input) {\n      replay { id status count finishedAt }\n      userErrors { code message path }\n    }\n  }\n": types.ReplayDeliveriesDocument,
    "\n  query ReplayProgress($id: ID!) { replay(id: $id) { id status count finishedAt } }\n": types.ReplayProgressDocument,
    "\n  mutation StopReplay($id: ID!) {\n    stopReplay(input: { id: $id }) { replay { id status count finishedAt } userErrors { code message path } }\n  }\n": types.StopReplayDocument,
    "\n  fragment DeliveryRow on Delivery {\n    id\n    status\n    attemptCount\n    nextAttemptAt\n    createdAt\n    updatedAt\n    event { id eventType }\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n": types.DeliveryRowFragmentDoc,
    "\n  query Deliveries($first: Int!, $after: String, $filter: DeliveryFilter) {\n    deliveries(first: $first, after: $after, filter: $filter) {\n      edges { node { ...DeliveryRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.DeliveriesDocument,
    "\n  subscription WatchDeliveries($connectionId: ID) { deliveryUpdated(connectionId: $connectionId) { ...DeliveryRow } }\n": types.WatchDeliveriesDocument,
    "\n  query ApiKeys { apiKeys(first: 100) { edges { node { ...ApiKeyRow } } } }\n": types.ApiKeysDocument,
    "\n  fragment ApiKeyRow on ApiKey { id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt }\n": types.ApiKeyRowFragmentDoc,
    "\n  mutation CreateApiKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) { apiKey { ...ApiKeyRow } secretKey userErrors { code message path } }\n  }\n": types.CreateApiKeyDocument,
    "\n  mutation RevokeApiKey($id: ID!) {\n    revokeApiKey(input: { id: $id }) { apiKey { ...ApiKeyRow } userErrors { code message path } }\n  }\n": types.RevokeApiKeyDocument,
    "\n  query AuditLog($first: Int!, $after: String) {\n    auditEvents(first: $first, after: $after) {\n      edges { node { id action actorType actorId address subjectType subjectId before after createdAt } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.AuditLogDocument,
    "\n  query Sessions {\n    sessions(first: 100) {\n      edges { node { id permissions origin createdAt expiresAt endedAt connection { id name } } }\n    }\n  }\n": types.SessionsDocument,
    "\n  mutation EndSession($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n": types.EndSessionDocument,
    "\n  query Event($id: ID!) {\n    event(id: $id) {\n      id\n      eventType\n      createdAt\n      occurredAt\n      erasedAt\n      idempotencyKey\n      orderingKey\n      data\n      deliveries(first: 100) { edges { node { ...DeliveryRow } } }\n    }\n  }\n": types.EventDocument,
    "\n  subscription WatchEvent { deliveryUpdated { ...DeliveryRow } }\n": types.WatchEventDocument,
    "\n  query Events($first: Int!, $after: String, $filter: EventFilter) {\n    events(first: $first, after: $after, filter: $filter) {\n      edges { node { id eventType createdAt idempotencyKey } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.EventsDocument,
    "\n  query EventTypes { eventTypes { name description schema sample } }\n": types.EventTypesDocument,
    "\n  query PublishableTypes { eventTypes { name sample } }\n": types.PublishableTypesDocument,
    "\n  mutation PublishEvent($input: PublishEventInput!) {\n    publishEvent(input: $input) {\n      event { id eventType createdAt }\n      duplicate\n      userErrors { code message path }\n    }\n  }\n": types.PublishEventDocument,
    "\n  query Organizations($first: Int!, $after: String, $filter: OrganizationFilter) {\n    organizations(first: $first, after: $after, filter: $filter) {\n      edges { node { id name externalId createdAt deletion { requestedAt } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.OrganizationsDocument,
    "\n  query Overview {\n    connections(first: 1) { edges { node { ...ConnectionRow } } }\n    attention: connections(first: 50, filter: { needsAttention: true }) { edges { node { ...ConnectionRow } } }\n    subscriptions(first: 1) { edges { node { id } } }\n  }\n": types.OverviewDocument,
    "\n  query Statistics($from: DateTime!) {\n    deliveryStatistics(from: $from) {\n      intervalSeconds\n      delivered\n      failed\n      retried\n      successRate\n      p50Ms\n      p95Ms\n      intervals { start delivered failed retried }\n    }\n    organization { id oldestWaiting }\n  }\n": types.StatisticsDocument,
    "\n  query ConnectionNames { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n": types.ConnectionNamesDocument,
    "\n  mutation SendTest($id: ID!) {\n    broadcastTestEvent(input: { subscriptionId: $id }) {\n      result { success statusCode responseBody durationMs error { code message } }\n      userErrors { code message path }\n    }\n  }\n": types.SendTestDocument,
    "\n  mutation SwitchSubscription($id: ID!, $isActive: Boolean!) {\n    updateSubscription(input: { id: $id, isActive: $isActive }) {\n      subscription { id isActive updatedAt }\n      userErrors { code message path }\n    }\n  }\n": types.SwitchSubscriptionDocument,
    "\n  mutation DeleteSubscription($id: ID!) {\n    deleteSubscription(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n": types.DeleteSubscriptionDocument,
    "\n  query Subscriptions($first: Int!, $after: String, $filter: SubscriptionFilter) {\n    subscriptions(first: $first, after: $after, filter: $filter) {\n      edges { node { ...SubscriptionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n": types.SubscriptionsDocument,
    "\n  query EventTypeNames { eventTypes { name description } }\n": types.EventTypeNamesDocument,
    "\n  fragment SubscriptionRow on Subscription {\n    id\n    eventType\n    isActive\n    createdAt\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n": types.SubscriptionRowFragmentDoc,
    "\n  mutation CreateSubscription($input: CreateSubscriptionInput!) {\n    createSubscription(input: $input) {\n      subscription { ...SubscriptionRow }\n      userErrors { code message path }\n    }\n  }\n": types.CreateSubscriptionDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OrganizationName { organization { id name } }\n"): (typeof documents)["\n  query OrganizationName { organization { id name } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchConnections { connectionUpdated { ...ConnectionRow } }\n"): (typeof documents)["\n  subscription WatchConnections { connectionUpdated { ...ConnectionRow } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchDeletedConnections { connectionDeleted { deletedId } }\n"): (typeof documents)["\n  subscription WatchDeletedConnections { connectionDeleted { deletedId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchDeletedSubscriptions { subscriptionDeleted { deletedId connectionId } }\n"): (typeof documents)["\n  subscription WatchDeletedSubscriptions { subscriptionDeleted { deletedId connectionId } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation OpenConsole($input: CreateSessionInput!) {\n    createSession(input: $input) {\n      session { id expiresAt }\n      token\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation OpenConsole($input: CreateSessionInput!) {\n    createSession(input: $input) {\n      session { id expiresAt }\n      token\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LeaveConsole($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation LeaveConsole($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query WhoCalls {\n    session { id permissions locale connection { id } }\n  }\n"): (typeof documents)["\n  query WhoCalls {\n    session { id permissions locale connection { id } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Credentials { caller { credential scopes } }\n"): (typeof documents)["\n  query Credentials { caller { credential scopes } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query OwnOrganization { organization { id } }\n"): (typeof documents)["\n  query OwnOrganization { organization { id } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MakeConnectLink($input: CreateSessionInput!) {\n    createSession(input: $input) { url userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation MakeConnectLink($input: CreateSessionInput!) {\n    createSession(input: $input) { url userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StartAuthorization($connectionId: ID!) {\n    startAuthorization(input: { connectionId: $connectionId }) { authorizationUrl userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation StartAuthorization($connectionId: ID!) {\n    startAuthorization(input: { connectionId: $connectionId }) { authorizationUrl userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Connection($id: ID!) {\n    connection(id: $id) {\n      ...ConnectionRow\n      maxConcurrency\n      maxPerSecond\n      externalId\n    }\n    subscriptions(first: 100, filter: { connectionId: $id }) { edges { node { ...SubscriptionRow } } }\n  }\n"): (typeof documents)["\n  query Connection($id: ID!) {\n    connection(id: $id) {\n      ...ConnectionRow\n      maxConcurrency\n      maxPerSecond\n      externalId\n    }\n    subscriptions(first: 100, filter: { connectionId: $id }) { edges { node { ...SubscriptionRow } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteConnection($id: ID!) {\n    deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation DeleteConnection($id: ID!) {\n    deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SwitchConnection($id: ID!, $isEnabled: Boolean!) {\n    updateConnection(input: { id: $id, isEnabled: $isEnabled }) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation SwitchConnection($id: ID!, $isEnabled: Boolean!) {\n    updateConnection(input: { id: $id, isEnabled: $isEnabled }) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CheckConnection($id: ID!) {\n    checkConnection(input: { connectionId: $id }) {\n      result { outcome message checkedAt }\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation CheckConnection($id: ID!) {\n    checkConnection(input: { connectionId: $id }) {\n      result { outcome message checkedAt }\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Connections($first: Int!, $after: String, $filter: ConnectionFilter) {\n    connections(first: $first, after: $after, filter: $filter) {\n      edges { node { ...ConnectionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Connections($first: Int!, $after: String, $filter: ConnectionFilter) {\n    connections(first: $first, after: $after, filter: $filter) {\n      edges { node { ...ConnectionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateConnection($input: UpdateConnectionInput!) {\n    updateConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation UpdateConnection($input: UpdateConnectionInput!) {\n    updateConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateConnection($input: CreateConnectionInput!) {\n    createConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateConnection($input: CreateConnectionInput!) {\n    createConnection(input: $input) {\n      connection { ...ConnectionRow }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevealSigningSecret($id: ID!) {\n    revealSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation RevealSigningSecret($id: ID!) {\n    revealSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RotateSigningSecret($id: ID!) {\n    rotateSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation RotateSigningSecret($id: ID!) {\n    rotateSigningSecret(input: { connectionId: $id }) {\n      signingSecret\n      previousSecretExpiresAt\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ConnectionRow on Connection {\n    id\n    type\n    name\n    status\n    isEnabled\n    statusReason\n    statusReasonCode\n    problem\n    problemCode\n    createdAt\n    updatedAt\n    account { id name }\n    configuration {\n      __typename\n      ... on WebhookConfiguration { url authType }\n      ... on KlaviyoConfiguration { requestedScopes }\n    }\n  }\n"): (typeof documents)["\n  fragment ConnectionRow on Connection {\n    id\n    type\n    name\n    status\n    isEnabled\n    statusReason\n    statusReasonCode\n    problem\n    problemCode\n    createdAt\n    updatedAt\n    account { id name }\n    configuration {\n      __typename\n      ... on WebhookConfiguration { url authType }\n      ... on KlaviyoConfiguration { requestedScopes }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query FilterConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"): (typeof documents)["\n  query FilterConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Delivery($id: ID!) {\n    delivery(id: $id) {\n      ...DeliveryRow\n      event { id occurredAt erasedAt }\n      subscription { id }\n      attempts { number trigger statusCode durationMs startedAt error { code } }\n    }\n  }\n"): (typeof documents)["\n  query Delivery($id: ID!) {\n    delivery(id: $id) {\n      ...DeliveryRow\n      event { id occurredAt erasedAt }\n      subscription { id }\n      attempts { number trigger statusCode durationMs startedAt error { code } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DeliveryContent($id: ID!) {\n    delivery(id: $id) {\n      id\n      event { id data }\n      attempts { number responseBody error { code message } }\n    }\n  }\n"): (typeof documents)["\n  query DeliveryContent($id: ID!) {\n    delivery(id: $id) {\n      id\n      event { id data }\n      attempts { number responseBody error { code message } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchDelivery { deliveryUpdated { id status updatedAt } }\n"): (typeof documents)["\n  subscription WatchDelivery { deliveryUpdated { id status updatedAt } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RetryDelivery($id: ID!) {\n    retryDelivery(input: { deliveryId: $id }) {\n      delivery { ...DeliveryRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation RetryDelivery($id: ID!) {\n    retryDelivery(input: { deliveryId: $id }) {\n      delivery { ...DeliveryRow }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReplayConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"): (typeof documents)["\n  query ReplayConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {\n    replayDeliveries(input: $input) {\n      replay { id status count finishedAt }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {\n    replayDeliveries(input: $input) {\n      replay { id status count finishedAt }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ReplayProgress($id: ID!) { replay(id: $id) { id status count finishedAt } }\n"): (typeof documents)["\n  query ReplayProgress($id: ID!) { replay(id: $id) { id status count finishedAt } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StopReplay($id: ID!) {\n    stopReplay(input: { id: $id }) { replay { id status count finishedAt } userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation StopReplay($id: ID!) {\n    stopReplay(input: { id: $id }) { replay { id status count finishedAt } userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment DeliveryRow on Delivery {\n    id\n    status\n    attemptCount\n    nextAttemptAt\n    createdAt\n    updatedAt\n    event { id eventType }\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n"): (typeof documents)["\n  fragment DeliveryRow on Delivery {\n    id\n    status\n    attemptCount\n    nextAttemptAt\n    createdAt\n    updatedAt\n    event { id eventType }\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Deliveries($first: Int!, $after: String, $filter: DeliveryFilter) {\n    deliveries(first: $first, after: $after, filter: $filter) {\n      edges { node { ...DeliveryRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Deliveries($first: Int!, $after: String, $filter: DeliveryFilter) {\n    deliveries(first: $first, after: $after, filter: $filter) {\n      edges { node { ...DeliveryRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchDeliveries($connectionId: ID) { deliveryUpdated(connectionId: $connectionId) { ...DeliveryRow } }\n"): (typeof documents)["\n  subscription WatchDeliveries($connectionId: ID) { deliveryUpdated(connectionId: $connectionId) { ...DeliveryRow } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ApiKeys { apiKeys(first: 100) { edges { node { ...ApiKeyRow } } } }\n"): (typeof documents)["\n  query ApiKeys { apiKeys(first: 100) { edges { node { ...ApiKeyRow } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ApiKeyRow on ApiKey { id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt }\n"): (typeof documents)["\n  fragment ApiKeyRow on ApiKey { id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateApiKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) { apiKey { ...ApiKeyRow } secretKey userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation CreateApiKey($input: CreateApiKeyInput!) {\n    createApiKey(input: $input) { apiKey { ...ApiKeyRow } secretKey userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RevokeApiKey($id: ID!) {\n    revokeApiKey(input: { id: $id }) { apiKey { ...ApiKeyRow } userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation RevokeApiKey($id: ID!) {\n    revokeApiKey(input: { id: $id }) { apiKey { ...ApiKeyRow } userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query AuditLog($first: Int!, $after: String) {\n    auditEvents(first: $first, after: $after) {\n      edges { node { id action actorType actorId address subjectType subjectId before after createdAt } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query AuditLog($first: Int!, $after: String) {\n    auditEvents(first: $first, after: $after) {\n      edges { node { id action actorType actorId address subjectType subjectId before after createdAt } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Sessions {\n    sessions(first: 100) {\n      edges { node { id permissions origin createdAt expiresAt endedAt connection { id name } } }\n    }\n  }\n"): (typeof documents)["\n  query Sessions {\n    sessions(first: 100) {\n      edges { node { id permissions origin createdAt expiresAt endedAt connection { id name } } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation EndSession($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation EndSession($id: ID!) {\n    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Event($id: ID!) {\n    event(id: $id) {\n      id\n      eventType\n      createdAt\n      occurredAt\n      erasedAt\n      idempotencyKey\n      orderingKey\n      data\n      deliveries(first: 100) { edges { node { ...DeliveryRow } } }\n    }\n  }\n"): (typeof documents)["\n  query Event($id: ID!) {\n    event(id: $id) {\n      id\n      eventType\n      createdAt\n      occurredAt\n      erasedAt\n      idempotencyKey\n      orderingKey\n      data\n      deliveries(first: 100) { edges { node { ...DeliveryRow } } }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchEvent { deliveryUpdated { ...DeliveryRow } }\n"): (typeof documents)["\n  subscription WatchEvent { deliveryUpdated { ...DeliveryRow } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Events($first: Int!, $after: String, $filter: EventFilter) {\n    events(first: $first, after: $after, filter: $filter) {\n      edges { node { id eventType createdAt idempotencyKey } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Events($first: Int!, $after: String, $filter: EventFilter) {\n    events(first: $first, after: $after, filter: $filter) {\n      edges { node { id eventType createdAt idempotencyKey } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EventTypes { eventTypes { name description schema sample } }\n"): (typeof documents)["\n  query EventTypes { eventTypes { name description schema sample } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query PublishableTypes { eventTypes { name sample } }\n"): (typeof documents)["\n  query PublishableTypes { eventTypes { name sample } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation PublishEvent($input: PublishEventInput!) {\n    publishEvent(input: $input) {\n      event { id eventType createdAt }\n      duplicate\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation PublishEvent($input: PublishEventInput!) {\n    publishEvent(input: $input) {\n      event { id eventType createdAt }\n      duplicate\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Organizations($first: Int!, $after: String, $filter: OrganizationFilter) {\n    organizations(first: $first, after: $after, filter: $filter) {\n      edges { node { id name externalId createdAt deletion { requestedAt } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Organizations($first: Int!, $after: String, $filter: OrganizationFilter) {\n    organizations(first: $first, after: $after, filter: $filter) {\n      edges { node { id name externalId createdAt deletion { requestedAt } } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Overview {\n    connections(first: 1) { edges { node { ...ConnectionRow } } }\n    attention: connections(first: 50, filter: { needsAttention: true }) { edges { node { ...ConnectionRow } } }\n    subscriptions(first: 1) { edges { node { id } } }\n  }\n"): (typeof documents)["\n  query Overview {\n    connections(first: 1) { edges { node { ...ConnectionRow } } }\n    attention: connections(first: 50, filter: { needsAttention: true }) { edges { node { ...ConnectionRow } } }\n    subscriptions(first: 1) { edges { node { id } } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Statistics($from: DateTime!) {\n    deliveryStatistics(from: $from) {\n      intervalSeconds\n      delivered\n      failed\n      retried\n      successRate\n      p50Ms\n      p95Ms\n      intervals { start delivered failed retried }\n    }\n    organization { id oldestWaiting }\n  }\n"): (typeof documents)["\n  query Statistics($from: DateTime!) {\n    deliveryStatistics(from: $from) {\n      intervalSeconds\n      delivered\n      failed\n      retried\n      successRate\n      p50Ms\n      p95Ms\n      intervals { start delivered failed retried }\n    }\n    organization { id oldestWaiting }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ConnectionNames { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"): (typeof documents)["\n  query ConnectionNames { connections(first: 100) { edges { node { ...ConnectionRow } } } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SendTest($id: ID!) {\n    broadcastTestEvent(input: { subscriptionId: $id }) {\n      result { success statusCode responseBody durationMs error { code message } }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation SendTest($id: ID!) {\n    broadcastTestEvent(input: { subscriptionId: $id }) {\n      result { success statusCode responseBody durationMs error { code message } }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SwitchSubscription($id: ID!, $isActive: Boolean!) {\n    updateSubscription(input: { id: $id, isActive: $isActive }) {\n      subscription { id isActive updatedAt }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation SwitchSubscription($id: ID!, $isActive: Boolean!) {\n    updateSubscription(input: { id: $id, isActive: $isActive }) {\n      subscription { id isActive updatedAt }\n      userErrors { code message path }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteSubscription($id: ID!) {\n    deleteSubscription(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n"): (typeof documents)["\n  mutation DeleteSubscription($id: ID!) {\n    deleteSubscription(input: { id: $id }) { deletedId userErrors { code message path } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Subscriptions($first: Int!, $after: String, $filter: SubscriptionFilter) {\n    subscriptions(first: $first, after: $after, filter: $filter) {\n      edges { node { ...SubscriptionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"): (typeof documents)["\n  query Subscriptions($first: Int!, $after: String, $filter: SubscriptionFilter) {\n    subscriptions(first: $first, after: $after, filter: $filter) {\n      edges { node { ...SubscriptionRow } }\n      pageInfo { hasNextPage endCursor }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EventTypeNames { eventTypes { name description } }\n"): (typeof documents)["\n  query EventTypeNames { eventTypes { name description } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment SubscriptionRow on Subscription {\n    id\n    eventType\n    isActive\n    createdAt\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n"): (typeof documents)["\n  fragment SubscriptionRow on Subscription {\n    id\n    eventType\n    isActive\n    createdAt\n    connection {\n      id\n      name\n      type\n      account { id name }\n      configuration {\n        __typename\n        ... on WebhookConfiguration { url }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateSubscription($input: CreateSubscriptionInput!) {\n    createSubscription(input: $input) {\n      subscription { ...SubscriptionRow }\n      userErrors { code message path }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateSubscription($input: CreateSubscriptionInput!) {\n    createSubscription(input: $input) {\n      subscription { ...SubscriptionRow }\n      userErrors { code message path }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;