import { GraphQLDateTime, GraphQLJSONObject } from 'graphql-scalars';
import { Arg, Args, Ctx, Field, ID, InputType, ObjectType, Query, Resolver, registerEnumType } from 'type-graphql';
import { listAuditEvents } from '../../access/listAuditEvents.js';
import {
  AUDIT_ACTIONS,
  AUDIT_ACTORS,
  AUDIT_SUBJECTS,
  type AuditAction,
  type AuditActor,
  type AuditSubject,
} from '../../domain/AuditEvent.js';
import type { GraphQLContext } from '../GraphQLContext.js';
import { PageArgs, pageTypes } from '../pagination.js';

const enumOf = <Value extends string>(values: readonly Value[]) =>
  Object.fromEntries(values.map((value) => [value.toUpperCase(), value])) as Record<Uppercase<Value>, Value>;

const AuditActionEnum = enumOf(AUDIT_ACTIONS);
const AuditSubjectEnum = enumOf(AUDIT_SUBJECTS);
const AuditActorEnum = enumOf(AUDIT_ACTORS);
registerEnumType(AuditActionEnum, {
  name: 'AuditAction',
  description: 'An audited action.',
  valuesConfig: {
    CONNECTION_CREATED: { description: 'A connection was created.' },
    CONNECTION_UPDATED: { description: 'A connection was changed.' },
    CONNECTION_DELETED: { description: 'A connection was deleted with its subscriptions.' },
    AUTHORIZATION_STARTED: { description: 'An authorization was started.' },
    AUTHORIZATION_COMPLETED: { description: 'An authorization was completed, and the connection was linked.' },
    AUTHORIZATION_REVOKED: { description: 'The grant of a connection was revoked.' },
    INSTALL_CLAIMED: { description: 'An install that began at the provider was claimed.' },
    SUBSCRIPTION_CREATED: { description: 'A subscription was created.' },
    SUBSCRIPTION_UPDATED: { description: 'A subscription was changed.' },
    SUBSCRIPTION_DELETED: { description: 'A subscription was deleted.' },
    TEST_EVENT_BROADCAST: { description: 'A test event was sent; the subject is its delivery.' },
    DELIVERY_RETRIED: { description: 'A delivery was retried by hand.' },
    DELIVERIES_REPLAYED: { description: 'A replay of deliveries was started.' },
    REPLAY_STOPPED: { description: 'A replay of deliveries was stopped before its end.' },
    SIGNING_SECRET_REVEALED: { description: 'The signing secret of a connection was read.' },
    SIGNING_SECRET_ROTATED: { description: 'The signing secret of a connection was replaced.' },
    API_KEY_CREATED: { description: 'An API key was created.' },
    API_KEY_REVOKED: { description: 'An API key was revoked.' },
    SESSION_CREATED: { description: 'A session was created.' },
    SESSION_ENDED: { description: 'A session was ended.' },
    ORGANIZATION_CREATED: { description: 'The organization was created by a platform.' },
    ORGANIZATION_UPDATED: { description: 'The organization was changed by a platform.' },
    ORGANIZATION_DELETION_REQUESTED: { description: 'The deletion of the organization was requested.' },
    RECIPIENT_ERASURE_REQUESTED: { description: 'The erasure of a person’s data was requested.' },
  },
});
registerEnumType(AuditSubjectEnum, {
  name: 'AuditSubject',
  description: 'The kind of object that an action concerned.',
  valuesConfig: {
    CONNECTION: { description: 'A connection.' },
    SUBSCRIPTION: { description: 'A subscription.' },
    DELIVERY: { description: 'A delivery.' },
    REPLAY: { description: 'A replay of deliveries.' },
    API_KEY: { description: 'An API key.' },
    SESSION: { description: 'A session.' },
    ORGANIZATION: { description: 'The organization itself.' },
    RECIPIENT: { description: 'The recipient of events.' },
  },
});
registerEnumType(AuditActorEnum, {
  name: 'AuditActor',
  description: 'The kind of caller that performed an action.',
  valuesConfig: {
    API_KEY: { description: 'A caller with an API key.' },
    ACCESS_TOKEN: { description: 'A caller with an access token of an API key.' },
    SESSION: { description: 'A browser with a session.' },
    PLATFORM_KEY: { description: 'A platform that acts for the organization.' },
    MERCHANT: { description: 'A merchant in a browser that returned from a provider.' },
  },
});

@ObjectType('AuditEvent', { description: 'An entry of the audit log: who did what, when and from where.' })
class AuditEventObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => AuditActionEnum, { description: 'The action.' })
  action!: AuditAction;

  @Field(() => AuditActorEnum, { description: 'The kind of caller that performed the action.' })
  actorType!: AuditActor;

  @Field(() => ID, { nullable: true, description: 'Id of the API key or the session; null for a merchant.' })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'IP address of the caller; null when it is unknown.' })
  address?: string | null;

  @Field(() => AuditSubjectEnum, { description: 'The kind of object that the action concerned.' })
  subjectType!: AuditSubject;

  @Field(() => ID, { description: 'Id of the object, which may no longer exist.' })
  subjectId!: string;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'The changed values before the action; null for a new object. Contains no secrets.',
  })
  before?: Record<string, unknown> | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'The changed values after the action; null for a deleted object. Contains no secrets.',
  })
  after?: Record<string, unknown> | null;

  @Field(() => GraphQLDateTime, { description: 'When the action was performed.' })
  createdAt!: Date;
}

const AuditEventPage = pageTypes('AuditEvent', 'audit events', () => AuditEventObject);

@InputType({ description: 'Conditions for a list of audit events.' })
class AuditEventFilter {
  @Field(() => AuditActionEnum, { nullable: true, description: 'Only this action.' })
  action?: AuditAction | null;

  @Field(() => AuditSubjectEnum, { nullable: true, description: 'Only actions on objects of this kind.' })
  subjectType?: AuditSubject | null;

  @Field(() => ID, { nullable: true, description: 'Only actions on this object. Requires subjectType.' })
  subjectId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only actions after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only actions before this time.' })
  createdBefore?: Date | null;
}

@Resolver()
export class AuditEventResolver {
  @Query(() => AuditEventPage, { description: 'The audit log of the organization, newest first. Requires ADMIN.' })
  auditEvents(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AuditEventFilter, { nullable: true, description: 'All conditions of the filter apply.' })
    filter?: AuditEventFilter | null,
  ): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listAuditEvents(context.dependencies, caller, page, filter ?? {}));
  }
}
