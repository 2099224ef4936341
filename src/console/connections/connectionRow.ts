import type { Tone } from '../design/Badge.js';
import type { IconName } from '../design/Icon.js';
import { graphql } from '../graphql/gql.js';
import type { ConnectionRowFragment, ConnectionType } from '../graphql/graphql.js';

/** What a list shows of a connection, and what live updates bring. */
export const CONNECTION_ROW = graphql(`
  fragment ConnectionRow on Connection {
    id
    type
    name
    status
    isEnabled
    statusReason
    statusReasonCode
    problem
    problemCode
    createdAt
    updatedAt
    account { id name }
    configuration {
      __typename
      ... on WebhookConfiguration { url authType }
      ... on KlaviyoConfiguration { requestedScopes }
    }
  }
`);

export type ConnectionRow = ConnectionRowFragment;

/** What one button does about what is wrong. */
export type Repair = 'connect' | 'switchOn' | 'correctUrl' | 'check';

/** Returns the repair that fits what is wrong with a connection; null when nothing is, or when only waiting helps. */
export function repairOf({ type, status, statusReasonCode, problemCode }: ConnectionRow): Repair | null {
  switch (status) {
    case 'PENDING_AUTHORIZATION':
    case 'REAUTHORIZATION_REQUIRED':
      return 'connect';
    case 'DISABLED':
      if (statusReasonCode === 'ORGANIZATION_DELETED') return null;
      return statusReasonCode === 'GONE' && type === 'WEBHOOK' ? 'correctUrl' : 'switchOn';
    default:
      if (problemCode === 'SCOPE_MISSING') return 'connect';
      if (problemCode === 'THROTTLED' || !problemCode) return null;
      return type === 'WEBHOOK' ? 'correctUrl' : 'check';
  }
}

interface Look {
  readonly tone: Tone;
  readonly icon?: IconName;
  readonly text: 'active' | 'problem' | 'waiting' | 'lost' | 'off' | 'stopped';
}

/** Returns how a connection's status looks at a glance. */
export function lookOf({ status, statusReasonCode, problemCode }: ConnectionRow): Look {
  if (status === 'ACTIVE') {
    return problemCode ? { tone: 'wait', icon: 'warning', text: 'problem' } : { tone: 'good', text: 'active' };
  }
  if (status === 'PENDING_AUTHORIZATION') return { tone: 'wait', text: 'waiting' };
  if (status === 'REAUTHORIZATION_REQUIRED') return { tone: 'bad', text: 'lost' };
  if (statusReasonCode === 'SWITCHED_OFF') return { tone: 'still', icon: 'pause', text: 'off' };
  return { tone: 'bad', text: 'stopped' };
}

/** What names a connection for people. */
interface Titled extends Placed {
  readonly id: string;
  readonly name?: string | null;
  readonly type: ConnectionType;
}

interface Placed {
  readonly configuration:
    | { readonly __typename: 'WebhookConfiguration'; readonly url: string }
    | { readonly __typename: 'KlaviyoConfiguration' };
  readonly account?: { readonly id: string; readonly name?: string | null } | null;
}

/** Returns what identifies a connection for people: its name, else where it points, else its id. */
export function titleOf({ name, id, type, ...placed }: Titled): string {
  return name ?? placeOf(placed) ?? `${type === 'KLAVIYO' ? 'Klaviyo' : 'Webhook'} #${id}`;
}

/** Returns where a connection points: a URL or an account; null before it points anywhere. */
export function placeOf({ configuration, account }: Placed): string | null {
  if (configuration.__typename === 'WebhookConfiguration') return configuration.url;
  return account?.name ?? account?.id ?? null;
}
