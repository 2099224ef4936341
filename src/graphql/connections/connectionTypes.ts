import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { type ClassType, createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ConnectionStatus, StatusReasonCode } from '../../domain/Connection.js';
import type { Metadata } from '../../domain/Metadata.js';
import type { Shown } from './ConnectionTypeView.js';

/** The connection types add its values. */
const ConnectionTypeEnum = {};
registerEnumType(ConnectionTypeEnum, {
  name: 'ConnectionType',
  description: 'A kind of destination for events.',
});

const ConnectionStatusEnum = {
  PENDING_AUTHORIZATION: 'pending_authorization',
  ACTIVE: 'active',
  REAUTHORIZATION_REQUIRED: 'reauthorization_required',
  DISABLED: 'disabled',
} as const;
registerEnumType(ConnectionStatusEnum, {
  name: 'ConnectionStatus',
  description: 'The status of a connection. In every status other than ACTIVE, events are held, not lost.',
  valuesConfig: {
    PENDING_AUTHORIZATION: { description: 'The merchant has not authorized the connection: call startAuthorization.' },
    ACTIVE: { description: 'Events are delivered.' },
    REAUTHORIZATION_REQUIRED: { description: 'The provider no longer accepts the grant: call startAuthorization again.' },
    DISABLED: {
      description:
        'The connection is switched off: by updateConnection, after five days of failures, or after an answer 410. statusReasonCode has the reason.',
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
  description: 'The reason why a connection is not active.',
  valuesConfig: {
    NOT_AUTHORIZED_YET: { description: 'PENDING_AUTHORIZATION: the connection was never authorized.' },
    AUTHORIZATION_DENIED: { description: 'PENDING_AUTHORIZATION: the merchant denied the latest authorization.' },
    AUTHORIZATION_FAILED: {
      description: 'PENDING_AUTHORIZATION: the latest authorization failed; authorization.errorCode has the reason.',
    },
    AUTHORIZATION_REVOKED: { description: 'PENDING_AUTHORIZATION: the grant was revoked by revokeAuthorization.' },
    GRANT_LOST: { description: 'REAUTHORIZATION_REQUIRED: the provider no longer accepts the grant.' },
    ACCOUNT_CHANGED: { description: 'REAUTHORIZATION_REQUIRED: the grant belongs to another account than before.' },
    SCOPE_MISSING: { description: 'REAUTHORIZATION_REQUIRED: the grant lacks a scope that deliveries need.' },
    SWITCHED_OFF: { description: 'DISABLED: updateConnection was called with isEnabled: false.' },
    FAILING: { description: 'DISABLED: every attempt failed for five days.' },
    GONE: { description: 'DISABLED: the destination answered 410 Gone.' },
    ORGANIZATION_DELETED: { description: 'DISABLED: the organization is being deleted.' },
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
  description: 'A problem that keeps an ACTIVE connection from delivering, or soon will.',
  valuesConfig: {
    REFRESH_FAILING: { description: 'The access token cannot be refreshed at the moment.' },
    SCOPE_MISSING: { description: 'The grant lacks a scope that the next delivery needs.' },
    DELIVERIES_FAILING: { description: 'The latest deliveries failed.' },
    THROTTLED: { description: 'The destination limits its requests.' },
  },
});

@ObjectType('KlaviyoAccount', { description: 'The Klaviyo account that a connection is linked to.' })
export class ProviderAccountObject {
  @Field(() => ID, { description: 'Id of the account at Klaviyo.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Name of the organization of the account.' })
  name!: string | null;

  @Field(() => String, { nullable: true, description: 'Time zone of the account, such as Europe/Amsterdam.' })
  timezone!: string | null;
}

export const ConnectionConfigurationUnion = createUnionType({
  name: 'ConnectionConfiguration',
  description: 'The configuration of a connection, by its type.',
  // The connection types add them.
  types: () => [] as unknown as readonly [ClassType],
  resolveType: (value: object) => (value as Shown).__typename,
});

@ObjectType('Connection', { description: "A destination for events: a webhook, or a merchant's Klaviyo account." })
export class ConnectionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => ConnectionTypeEnum, { description: 'The type of the connection, which never changes.' })
  type!: string;

  @Field(() => String, { nullable: true, description: 'Display name of the connection.' })
  name?: string | null;

  @Field(() => ConnectionStatusEnum, { description: 'Current status.' })
  status!: ConnectionStatus;

  @Field(() => String, {
    nullable: true,
    description: 'The reason why the connection is not active, as a sentence; null when it is active.',
  })
  statusReason?: string | null;

  @Field(() => StatusReasonCodeEnum, {
    nullable: true,
    description: 'The reason why the connection is not active, for programs; null when it is active.',
  })
  statusReasonCode?: StatusReasonCode | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum concurrent attempts over all processes, from 1 to 1,000; null for the limit of the server.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum attempts per second over all processes, from 1 to 10,000; null for no limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, { nullable: true, description: 'Id of the connection in your own system; unique in the organization.' })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { description: 'Metadata of your own system.' })
  metadata!: Metadata;

  @Field(() => GraphQLDateTime, { description: 'When the connection was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the configuration or the status last changed.' })
  updatedAt!: Date;
}

/** Its fields for the configuration are added by `buildSchema`, here and below. */
@InputType({ description: 'A new connection.' })
export class CreateConnectionInput {
  @Field(() => ConnectionTypeEnum, {
    nullable: true,
    description: 'The type of the connection. Required without configuration.',
  })
  type?: string | null;

  @Field(() => String, { nullable: true, description: 'Display name; at most 200 characters.' })
  name?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum concurrent attempts over all processes, from 1 to 1,000; null for the limit of the server.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum attempts per second over all processes, from 1 to 10,000; null for no limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the connection in your own system: 1 to 200 characters, unique in the organization.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description:
      'Metadata of your own system: at most 50 keys of at most 40 characters, with strings of at most 500 characters, numbers, true or false as values.',
  })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'Changes to a connection. Absent fields stay as they are.' })
export class UpdateConnectionInput {
  @Field(() => ID, { description: 'Id of the connection.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Display name; null or a blank text removes it.' })
  name?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'False disables the connection: its status is DISABLED, and its events are held. True enables a DISABLED connection again.',
  })
  isEnabled?: boolean | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum concurrent attempts over all processes, from 1 to 1,000; null removes the limit.',
  })
  maxConcurrency?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum attempts per second over all processes, from 1 to 10,000; null removes the limit.',
  })
  maxPerSecond?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Id of the connection in your own system: 1 to 200 characters, unique in the organization; null removes it.',
  })
  externalId?: string | null;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'Replaces all metadata; null removes it.' })
  metadata?: Record<string, unknown> | null;
}

@InputType({ description: 'The connection to delete.' })
export class DeleteConnectionInput {
  @Field(() => ID, { description: 'Id of the connection. Its subscriptions are deleted with it.' })
  id!: string;
}

@InputType({ description: 'Conditions for a list of connections.' })
export class ConnectionFilter {
  @Field(() => ConnectionTypeEnum, { nullable: true, description: 'Only connections of this type.' })
  type?: string | null;

  @Field(() => ConnectionStatusEnum, { nullable: true, description: 'Only connections in this status.' })
  status?: ConnectionStatus | null;

  @Field(() => String, { nullable: true, description: 'Only the connection with this externalId.' })
  externalId?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only those with a problem, and those that are not ACTIVE for another reason than SWITCHED_OFF. False: only the others.',
  })
  needsAttention?: boolean | null;
}
