import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { type ClassType, createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ConnectionStatus, StatusReasonCode } from '../../domain/Connection.js';
import type { Metadata } from '../../domain/Metadata.js';
import type { Shown } from './ConnectionTypeView.js';

/** Its values come with the connection types. */
const ConnectionTypeEnum = {};
registerEnumType(ConnectionTypeEnum, {
  name: 'ConnectionType',
  description: 'The kinds of places that events can go to.',
});

const ConnectionStatusEnum = {
  PENDING_AUTHORIZATION: 'pending_authorization',
  ACTIVE: 'active',
  REAUTHORIZATION_REQUIRED: 'reauthorization_required',
  DISABLED: 'disabled',
} as const;
registerEnumType(ConnectionStatusEnum, {
  name: 'ConnectionStatus',
  description: 'Whether events can go out. In every status but ACTIVE they are held, not lost.',
  valuesConfig: {
    PENDING_AUTHORIZATION: { description: 'Waits for the merchant to authorize it: call startAuthorization.' },
    ACTIVE: { description: 'Delivers.' },
    REAUTHORIZATION_REQUIRED: { description: 'The provider no longer honours the grant: call startAuthorization again.' },
    DISABLED: {
      description: 'Turned off, by hand or since it only failed for five days or answered 410; statusReason says why.',
    },
  },
});

const StatusReasonCodeEnum = {
  NOT_AUTHORIZED_YET: 'not_authorized_yet',
  AUTHORIZATION_DENIED: 'authorization_denied',
  AUTHORIZATION_FAILED: 'authorization_failed',
  AUTHORIZATION_REVOKED: 'authorization_revoked',
  GRANT_LOST: 'grant_lost',
  ACCOUNT_CHANGED: 'account_changed',
  SCOPE_MISSING: 'scope_missing',
  SWITCHED_OFF: 'switched_off',
  FAILING: 'failing',
  GONE: 'gone',
  ORGANIZATION_DELETED: 'organization_deleted',
} as const satisfies Record<string, StatusReasonCode>;
registerEnumType(StatusReasonCodeEnum, {
  name: 'ConnectionStatusReasonCode',
  description: 'Why a connection is not active.',
  valuesConfig: {
    NOT_AUTHORIZED_YET: { description: 'PENDING_AUTHORIZATION: nobody has authorized it yet.' },
    AUTHORIZATION_DENIED: { description: 'PENDING_AUTHORIZATION: the merchant said no the last time.' },
    AUTHORIZATION_FAILED: {
      description: 'PENDING_AUTHORIZATION: the last authorization broke; authorization.errorCode says how.',
    },
    AUTHORIZATION_REVOKED: { description: 'PENDING_AUTHORIZATION: somebody called revokeAuthorization.' },
    GRANT_LOST: { description: 'REAUTHORIZATION_REQUIRED: the provider no longer accepts the grant.' },
    ACCOUNT_CHANGED: { description: 'REAUTHORIZATION_REQUIRED: the grant led to another account than before.' },
    SCOPE_MISSING: { description: 'REAUTHORIZATION_REQUIRED: the grant lacks a scope that deliveries need.' },
    SWITCHED_OFF: { description: 'DISABLED: somebody called updateConnection with isEnabled: false.' },
    FAILING: { description: 'DISABLED: every delivery failed for days.' },
    GONE: { description: 'DISABLED: the destination says that it is gone (410).' },
    ORGANIZATION_DELETED: { description: 'DISABLED: its organization is being deleted.' },
  },
});

export const ProblemCodeEnum = {
  REFRESH_FAILING: 'refresh_failing',
  SCOPE_MISSING: 'scope_missing',
  DELIVERIES_FAILING: 'deliveries_failing',
  THROTTLED: 'throttled',
} as const;
export type ConnectionProblemCode = (typeof ProblemCodeEnum)[keyof typeof ProblemCodeEnum];
registerEnumType(ProblemCodeEnum, {
  name: 'ConnectionProblemCode',
  description: 'What keeps an ACTIVE connection from delivering, or soon will.',
  valuesConfig: {
    REFRESH_FAILING: { description: 'Its access token can not be renewed at the moment.' },
    SCOPE_MISSING: { description: 'The grant lacks a scope that the next delivery needs.' },
    DELIVERIES_FAILING: { description: 'Its latest deliveries failed.' },
    THROTTLED: { description: 'The destination limits how much it takes.' },
  },
});

@ObjectType('KlaviyoAccount', { description: 'The Klaviyo account that a connection is linked to.' })
export class ProviderAccountObject {
  @Field(() => ID, { description: "Klaviyo's id of the account." })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The name of its organization.' })
  name!: string | null;

  @Field(() => String, { nullable: true, description: 'Its time zone, such as Europe/Amsterdam.' })
  timezone!: string | null;
}

export const ConnectionConfigurationUnion = createUnionType({
  name: 'ConnectionConfiguration',
  description: "A connection's configuration; which one, its type decides.",
  // They come with the connection types.
  types: () => [] as unknown as readonly [ClassType],
  resolveType: (value: object) => (value as Shown).__typename,
});

@ObjectType('Connection', { description: "Where events go: a webhook, or a merchant's Klaviyo account." })
export class ConnectionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => ConnectionTypeEnum, { description: 'What kind of place it is. Never changes.' })
  type!: string;

  @Field(() => String, { nullable: true, description: 'What people call it.' })
  name?: string | null;

  @Field(() => ConnectionStatusEnum, { description: 'Whether events can go out.' })
  status!: ConnectionStatus;

  @Field(() => String, { nullable: true, description: 'Why it is not active, in a sentence; null when it is.' })
  statusReason?: string | null;

  @Field(() => StatusReasonCodeEnum, { nullable: true, description: 'The same for programs; null when it is active.' })
  statusReasonCode?: StatusReasonCode | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Deliveries that may be under way there at once, over all processes, from 1 to 1,000; null: what the server allows.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Deliveries that may go there in a second, over all processes, from 1 to 10,000; null: no limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, { nullable: true, description: 'What your own system calls it; unique in the organization.' })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'What your own system noted on it.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When its configuration or status last changed.' })
  updatedAt!: Date;
}

/** Its fields for the configuration come with the connection types, here and below. */
@InputType({ description: 'A new connection.' })
export class CreateConnectionInput {
  @Field(() => ConnectionTypeEnum, { description: 'What kind of place it is.' })
  type!: string;

  @Field(() => String, { nullable: true, description: 'What people call it; at most 200 characters.' })
  name?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Deliveries that may be under way there at once, over all processes, from 1 to 1,000; null: what the server allows.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Deliveries that may go there in a second, over all processes, from 1 to 10,000; null: no limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'What your own system calls it: 1 to 200 characters, unique in the organization.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'What your own system notes on it: at most 50 keys of at most 40 characters; texts of at most 500, numbers, true or false.',
  })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Changes to a connection: only what is given changes.' })
export class UpdateConnectionInput {
  @Field(() => ID, { description: 'Which connection.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'A new name; null or blank takes it away.' })
  name?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'False turns it off: its status is DISABLED, and events for it are held. True turns a DISABLED one on again.',
  })
  isEnabled?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Deliveries that may be under way there at once, over all processes, from 1 to 1,000; null takes the limit away.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Deliveries that may go there in a second, over all processes, from 1 to 10,000; null takes the limit away.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'What your own system calls it: 1 to 200 characters, unique in the organization; null takes it away.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'Replaces all of its metadata; null empties it.' })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Which connection to delete.' })
export class DeleteConnectionInput {
  @Field(() => ID, { description: 'The connection, which goes with its subscriptions.' })
  id!: string;
}

@InputType({ description: 'Which connections to list.' })
export class ConnectionFilter {
  @Field(() => ConnectionTypeEnum, { nullable: true, description: 'Only of this type.' })
  type?: string | null;

  @Field(() => ConnectionStatusEnum, { nullable: true, description: 'Only in this status.' })
  status?: ConnectionStatus | null;

  @Field(() => String, { nullable: true, description: 'Only the one with this externalId.' })
  externalId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only those with a problem, and those that are not ACTIVE for another reason than SWITCHED_OFF. False: only the others.',
  })
  needsAttention?: boolean | null;
}
