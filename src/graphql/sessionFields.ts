import type { CallingSession } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';
import type { SessionPermission } from '../domain/Session.js';

/** The fields that sessions may use, by permission: names of fields, separated by spaces. */
interface Decisions {
  /** Any session. */
  readonly any?: string;
  /** With CONNECT. */
  readonly connect?: string;
  /** With VIEW or MANAGE. */
  readonly view?: string;
  /** With MANAGE. */
  readonly manage?: string;
  /** No session: the data of events, personal data, secrets, keys, and operations for backends only. */
  readonly never?: string;
}

const PAGE = { view: 'edges pageInfo totalCount' };
const EDGE = { view: 'cursor node' };

/**
 * The permissions that each field requires of a session. A field that is not listed is refused, and a test fails for it. The use
 * cases decide which rows a session can reach (`reachableConnection`).
 */
const decisions: Readonly<Record<string, Decisions>> = {
  Query: {
    any: 'caller session connection',
    view: 'organization connections subscription subscriptions delivery deliveries deliveryStatistics eventTypes klaviyoScopes replay replays',
    never: 'apiKeys sessions auditEvents event events klaviyoApp organizations erasure',
  },
  Mutation: {
    connect: 'startAuthorization',
    manage:
      'createConnection updateConnection deleteConnection revokeAuthorization checkConnection createSubscription updateSubscription deleteSubscription broadcastTestEvent retryDelivery replayDeliveries stopReplay',
    never:
      'createApiKey revokeApiKey createSession endSession revealSigningSecret rotateSigningSecret claimInstall publishEvent publishEvents upsertOrganization deleteOrganization eraseRecipient',
  },
  Live: { any: 'connectionUpdated connectionDeleted', view: 'deliveryUpdated subscriptionDeleted' },

  Caller: { any: 'credential scopes session', view: 'organization' },
  Session: { any: 'id permissions connection origin returnTo locale createdAt expiresAt endedAt' },
  // A platform's metadata of a merchant is not for the merchant's browser.
  Organization: { view: 'id name createdAt oldestWaiting', never: 'externalId metadata deletion updatedAt' },

  Connection: {
    any: 'id type name status isEnabled statusReason statusReasonCode problem problemCode configuration account grant authorization createdAt updatedAt',
    view: 'maxConcurrency maxPerSecond externalId metadata subscriptions deliveries oldestWaiting',
  },
  // The values of extra headers are often secrets of the endpoint.
  Header: { view: 'name', never: 'value' },
  WebhookConfiguration: { view: 'url authType extraHeaders' },
  KlaviyoConfiguration: {
    any: 'account requestedScopes grantedScopes missingScopes',
    view: 'accessTokenExpiresAt lastCheckedAt lastRefreshedAt quota bulkQuota',
  },
  Grant: { any: 'grantedScopes missingScopes', view: 'accessTokenExpiresAt lastCheckedAt lastRefreshedAt' },
  KlaviyoAccount: { any: 'id name timezone' },
  KlaviyoQuota: { view: 'pausedUntil perMinuteLimit perMinuteRemaining perSecondLimit perSecondRemaining resetsAt' },
  KlaviyoScope: { view: 'access name required resource' },
  KlaviyoApp: { never: 'clientId redirectUri sandbox scopes' },
  Authorization: { any: 'id status errorCode providerErrorCode errorDescription scopes createdAt expiresAt completedAt' },
  DeletedConnection: { any: 'deletedId' },
  DeletedSubscription: { view: 'deletedId connectionId' },
  ConnectionCheck: { manage: 'account checkedAt message missingScopes outcome' },
  Subscription: { view: 'id eventType isActive externalId metadata connection createdAt updatedAt' },
  EventType: { view: 'name description schema sample' },
  // The keys and the value may identify an order or a person, as the data does.
  Event: {
    view: 'id eventType createdAt occurredAt erasedAt deliveries',
    never: 'data payload idempotencyKey orderingKey value valueCurrency',
  },
  Delivery: { view: 'id status attemptCount attempts event subscription connection createdAt updatedAt nextAttemptAt' },
  // A response may repeat the data of the event.
  Attempt: { view: 'number trigger statusCode error durationMs startedAt', never: 'responseBody' },
  // The message may quote the data of the event.
  AttemptError: { view: 'code destinationCode', never: 'message' },
  // A test broadcast sends a sample.
  BroadcastResult: { manage: 'success statusCode responseBody durationMs error' },
  DeliveryStatistics: {
    view: 'from until intervalSeconds delivered failed retried successRate p50Ms p95Ms intervals',
  },
  DeliveryStatisticsInterval: { view: 'start delivered failed retried p50Ms p95Ms' },
  Replay: { view: 'id status count since until statuses connection createdAt finishedAt' },
  OrganizationDeletion: { never: 'connectionsErased deliveriesErased eventsErased requestedAt' },
  Erasure: { never: 'createdAt deliveriesCancelled eventsErased eventsLookedAt finishedAt id status' },
  AuditEvent: { never: 'id action actorType actorId address subjectType subjectId before after createdAt' },
  AuditEventConnection: { never: 'edges pageInfo totalCount' },
  AuditEventEdge: { never: 'cursor node' },
  ApiKeyConnection: { never: 'edges pageInfo totalCount' },
  ApiKeyEdge: { never: 'cursor node' },
  ApiKey: { never: 'id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt' },

  ReplayConnection: PAGE,
  ReplayEdge: EDGE,
  ConnectionConnection: PAGE,
  ConnectionEdge: EDGE,
  DeliveryConnection: PAGE,
  DeliveryEdge: EDGE,
  SubscriptionConnection: PAGE,
  SubscriptionEdge: EDGE,
  EventConnection: { never: 'edges pageInfo totalCount' },
  EventEdge: { never: 'cursor node' },
  SessionConnection: { never: 'edges pageInfo totalCount' },
  SessionEdge: { never: 'cursor node' },
  OrganizationConnection: { never: 'edges pageInfo totalCount' },
  OrganizationEdge: { never: 'cursor node' },
  PageInfo: { view: 'startCursor endCursor hasNextPage hasPreviousPage' },
  UserError: { any: 'code message path' },
  Warning: { manage: 'code message path' },

  StartAuthorizationPayload: { connect: 'authorizationUrl expiresAt authorization userErrors' },
  ConnectionPayload: { manage: 'connection warnings userErrors' },
  DeletePayload: { manage: 'deletedId userErrors' },
  CheckConnectionPayload: { manage: 'result connection userErrors' },
  SubscriptionPayload: { manage: 'subscription userErrors' },
  DeliveryPayload: { manage: 'delivery userErrors' },
  ReplayPayload: { manage: 'replay userErrors' },
  ReplayDeliveriesPayload: { manage: 'count replay userErrors' },
  BroadcastTestEventPayload: { manage: 'result userErrors' },
  ApiKeyPayload: { never: 'apiKey userErrors' },
  CreateApiKeyPayload: { never: 'apiKey secretKey userErrors' },
  CreateSessionPayload: { never: 'session token url userErrors' },
  SessionPayload: { never: 'session userErrors' },
  SigningSecretPayload: { never: 'signingSecret previousSecretExpiresAt userErrors' },
  ClaimInstallPayload: { never: 'connection authorizationUrl expiresAt authorization userErrors' },
  UpsertOrganizationPayload: { never: 'created organization userErrors' },
  DeleteOrganizationPayload: { never: 'organization userErrors' },
  EraseRecipientPayload: { never: 'erasure userErrors' },
  PublishEventPayload: { never: 'event duplicate userErrors' },
  PublishEventsPayload: { never: 'events userErrors' },
  PublishedEvent: { never: 'event duplicate' },
};

const PERMISSIONS: Readonly<Record<keyof Decisions, readonly SessionPermission[]>> = {
  any: ['connect', 'view', 'manage'],
  connect: ['connect'],
  view: ['view', 'manage'],
  manage: ['manage'],
  never: [],
};

/** By `Type.field`: the permissions, of which one is enough. An empty list means that no session may use the field. */
export const sessionFields: ReadonlyMap<string, readonly SessionPermission[]> = new Map(
  Object.entries(decisions).flatMap(([type, ofType]) =>
    Object.entries(ofType).flatMap(([who, names]: [string, string]) =>
      names.split(' ').map((name) => [`${type}.${name}`, PERMISSIONS[who as keyof Decisions]] as const),
    ),
  ),
);

/** Returns whether a session may use all of these fields (`Type.field`). Introspection is always allowed. */
export function maySession({ permissions }: CallingSession, fields: Iterable<string>): boolean {
  return [...fields].every((field) => isAllowed(permissions, field));
}

/** Throws FORBIDDEN for the first of these fields that a session may not use. */
export function requireSessionFields({ permissions }: CallingSession, fields: Iterable<string>): void {
  for (const field of fields) {
    if (isAllowed(permissions, field)) continue;
    const names = (sessionFields.get(field) ?? []).map((permission) => permission.toUpperCase()).join(' or ');
    const reason = names === '' ? 'no session may' : `it lacks the permission ${names}`;
    throw new SwitchboardError('FORBIDDEN', `This session may not use ${field}: ${reason}.`, {
      bearerError: 'insufficient_scope',
    });
  }
}

function isAllowed(permissions: ReadonlySet<SessionPermission>, field: string): boolean {
  if (field.startsWith('__') || field.includes('.__')) return true;
  return (sessionFields.get(field) ?? []).some((permission) => permissions.has(permission));
}
