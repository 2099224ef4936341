import type { EventTypeDefinition, JsonSchema } from './eventTypeRegistry.js';

/** A connection in the data of `connections.*` events. Enum values are in lower case, as in all JSON bodies. */
type ConnectionSnapshot = {
  /** The connection's id in the API. */
  id: string;
  type: string;
  name: string | null;
  status: 'pending_authorization' | 'active' | 'reauthorization_required' | 'disabled';
  /** Text for a person: the reason for the status. */
  status_reason: string | null;
};

/** The fields of `data` that all `connections.*` events share. */
export type ConnectionEventData = {
  /** The connection right after the change. */
  connection: ConnectionSnapshot;
  /** RFC 3339. */
  occurred_at: string;
};

const connection = {
  type: 'object',
  description: 'The connection, as it was right after.',
  required: ['id', 'type', 'name', 'status', 'status_reason'],
  properties: {
    id: { type: 'string', minLength: 1, description: 'Its id in the API.' },
    // Not a closed list: a new connection type must not make this schema wrong.
    type: { type: 'string', minLength: 1, description: 'What it links to, such as webhook or klaviyo.' },
    name: { type: ['string', 'null'], description: 'The name it was given, if any.' },
    status: {
      type: 'string',
      enum: ['pending_authorization', 'active', 'reauthorization_required', 'disabled'],
      description: 'Whether events are delivered (active), or why they are not.',
    },
    status_reason: { type: ['string', 'null'], description: 'Why it is in this status, for a person to read.' },
  },
};

/** The connection of the samples about a linked account. */
const linkedSample = { id: '1042', type: 'klaviyo', name: 'Acme marketing' };

/** Returns that connection in a sample of a lost grant. */
function lostSample(status_reason: string): ConnectionSnapshot {
  return { ...linkedSample, status: 'reauthorization_required', status_reason };
}

/** Returns the schema of a `connections.*` event: the shared fields plus the given ones, some of them required. */
function connectionEventSchema(description: string, own: { properties: JsonSchema; required: string[] }): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    description,
    type: 'object',
    required: ['connection', 'occurred_at', ...own.required],
    properties: {
      connection,
      occurred_at: { type: 'string', format: 'date-time', description: 'When it happened.' },
      ...own.properties,
    },
  };
}

type Account = { id: string; name: string | null };

const account = (description: string, type: JsonSchema['type'] = 'object') => ({
  type,
  description,
  required: ['id', 'name'],
  properties: {
    id: { type: 'string', description: "The provider's id of the account." },
    name: { type: ['string', 'null'], description: 'What the account is called there.' },
  },
});

const scopeList = (description: string) => ({ type: 'array', items: { type: 'string' }, description });

type GrantedScopes = {
  granted_scopes: string[];
  /** Scopes that were requested or are needed, but were not granted. */
  missing_scopes: string[];
};

export type ConnectionAuthorizationCompletedData = ConnectionEventData &
  GrantedScopes & {
    /** The provider's linked account; null when the provider did not name it. */
    account: Account | null;
  };

export const connectionAuthorizationCompleted: EventTypeDefinition<ConnectionAuthorizationCompletedData> = {
  name: 'connections.authorization.completed',
  description: 'A merchant linked an account, for the first time or again: events are delivered from now on, held ones first.',
  schema: connectionEventSchema('A connection that was authorized.', {
    required: ['account', 'granted_scopes', 'missing_scopes'],
    properties: {
      account: account("The provider's account that is linked.", ['object', 'null']),
      granted_scopes: scopeList('What the merchant allowed.'),
      missing_scopes: scopeList('What was asked for, but not allowed.'),
    },
  }),
  sample: {
    connection: { ...linkedSample, status: 'active', status_reason: null },
    occurred_at: '2026-03-09T09:15:02Z',
    account: { id: 'AbC123', name: 'Acme' },
    granted_scopes: ['accounts:read', 'events:write'],
    missing_scopes: [],
  },
  internal: true,
};

type ConnectionReauthorizationRequiredData = ConnectionEventData;

export const connectionReauthorizationRequired: EventTypeDefinition<ConnectionReauthorizationRequiredData> = {
  name: 'connections.reauthorization.required',
  description: 'A grant is dead: deliveries are held until the merchant links the account again. The reason is in status_reason.',
  schema: connectionEventSchema('A connection that has to be authorized again.', { required: [], properties: {} }),
  sample: {
    connection: lostSample('Klaviyo no longer accepts the grant: the app was uninstalled or its access was revoked.'),
    occurred_at: '2026-06-21T03:40:11Z',
  },
  internal: true,
};

export type ConnectionAccountChangedData = ConnectionEventData & {
  /** The account that the connection is linked to. */
  expected_account: Account;
  /** The account that the grant now belongs to. */
  found_account: Account;
};

export const connectionAccountChanged: EventTypeDefinition<ConnectionAccountChangedData> = {
  name: 'connections.account.changed',
  description:
    'A grant was found to lead to another account than its connection belongs to: it was given up, and deliveries are held until the merchant links an account again.',
  schema: connectionEventSchema('A connection whose grant leads to another account.', {
    required: ['expected_account', 'found_account'],
    properties: {
      expected_account: account('The account that the connection belongs to.'),
      found_account: account('The account that the grant was found to lead to.'),
    },
  }),
  sample: {
    connection: lostSample('The grant leads to another Klaviyo account (Acme Outlet) than the connection belongs to (Acme).'),
    occurred_at: '2026-07-02T04:12:45Z',
    expected_account: { id: 'AbC123', name: 'Acme' },
    found_account: { id: 'XyZ789', name: 'Acme Outlet' },
  },
  internal: true,
};

export type ConnectionScopesMissingData = ConnectionEventData & GrantedScopes;

export const connectionScopesMissing: EventTypeDefinition<ConnectionScopesMissingData> = {
  name: 'connections.scopes.missing',
  description:
    'A grant was found to lack scopes that the connection asks for or needs. Deliveries are held only when the status says so; linking the account again asks for the scopes.',
  schema: connectionEventSchema('A connection whose grant lacks scopes.', {
    required: ['missing_scopes', 'granted_scopes'],
    properties: {
      missing_scopes: scopeList('What is asked for or needed, but not granted.'),
      granted_scopes: scopeList('What the grant still allows.'),
    },
  }),
  sample: {
    connection: lostSample('The grant lacks the scope events:write: connect again and allow it.'),
    occurred_at: '2026-07-02T04:12:45Z',
    missing_scopes: ['events:write'],
    granted_scopes: ['accounts:read'],
  },
  internal: true,
};

export type ConnectionDisabledData = ConnectionEventData & {
  /** RFC 3339: start of the unbroken series of failures, if that is the reason; else null. */
  failing_since: string | null;
};

export const connectionDisabled: EventTypeDefinition<ConnectionDisabledData> = {
  name: 'connections.disabled',
  description: 'Delivery to a connection stopped: it failed for days, or its receiver said that it is gone. Deliveries are held.',
  schema: connectionEventSchema('A connection that was disabled.', {
    required: ['failing_since'],
    properties: {
      failing_since: {
        type: ['string', 'null'],
        format: 'date-time',
        description: 'Since when no delivery succeeded; null when it was disabled for another reason.',
      },
    },
  }),
  sample: {
    connection: {
      id: '1043',
      type: 'webhook',
      name: 'Order system',
      status: 'disabled',
      status_reason: 'Every delivery failed for 5 days.',
    },
    occurred_at: '2026-04-02T12:00:00Z',
    failing_since: '2026-03-28T12:00:00Z',
  },
  internal: true,
};
