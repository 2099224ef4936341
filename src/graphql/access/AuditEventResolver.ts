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
  description: 'What was done.',
  valuesConfig: {
    CONNECTION_CREATED: { description: 'A connection was created.' },
    CONNECTION_UPDATED: { description: 'A connection was changed.' },
    CONNECTION_DELETED: { description: 'A connection was deleted with its subscriptions.' },
    AUTHORIZATION_STARTED: { description: 'An authorization was started.' },
    AUTHORIZATION_COMPLETED: { description: 'A merchant came back, and the connection was linked.' },
    AUTHORIZATION_REVOKED: { description: 'The grant of a connection was given back.' },
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
  description: 'What something was done to.',
  valuesConfig: {
    CONNECTION: { description: 'A connection.' },
    SUBSCRIPTION: { description: 'A subscription.' },
    DELIVERY: { description: 'A delivery.' },
    REPLAY: { description: 'A replay of deliveries.' },
    API_KEY: { description: 'An API key.' },
    SESSION: { description: 'A session.' },
    ORGANIZATION: { description: 'The organization itself.' },
    RECIPIENT: { description: 'A person whom events are about.' },
  },
});
registerEnumType(AuditActorEnum, {
  name: 'AuditActor',
  description: 'Who did something.',
  valuesConfig: {
    API_KEY: { description: 'A caller with an API key.' },
    ACCESS_TOKEN: { description: 'A caller with an access token of an API key.' },
    SESSION: { description: 'A browser with a session.' },
    PLATFORM_KEY: { description: 'A platform that acts for the organization.' },
    MERCHANT: { description: 'A merchant who came back from a provider.' },
  },
});

@ObjectType('AuditEvent', { description: 'One line of the audit log: who did what, when and from where.' })
class AuditEventObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => AuditActionEnum, { description: 'What was done.' })
  action!: AuditAction;

  @Field(() => AuditActorEnum, { description: 'Who did it.' })
  actorType!: AuditActor;

  @Field(() => ID, { nullable: true, description: 'Identifier of the API key or session; null for a merchant.' })
  actorId?: string | null;

  @Field(() => String, { nullable: true, description: 'IP address that the call came from; null when it is not known.' })
  address?: string | null;

  @Field(() => AuditSubjectEnum, { description: 'What it was done to.' })
  subjectType!: AuditSubject;

  @Field(() => ID, { description: 'Identifier of what it was done to, which may be gone by now.' })
  subjectId!: string;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'What changed, as it was before; null for what is new. No secrets.',
  })
  before?: Record<string, unknown> | null;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'What changed, as it was afterwards; null for what is gone. No secrets.',
  })
  after?: Record<string, unknown> | null;

  @Field(() => GraphQLDateTime, { description: 'When it was done.' })
  createdAt!: Date;
}

const AuditEventPage = pageTypes('AuditEvent', 'audit events', () => AuditEventObject);

@InputType({ description: 'Which audit events to list.' })
class AuditEventFilter {
  @Field(() => AuditActionEnum, { nullable: true, description: 'Only of this action.' })
  action?: AuditAction | null;

  @Field(() => AuditSubjectEnum, { nullable: true, description: 'Only what was done to things of this kind.' })
  subjectType?: AuditSubject | null;

  @Field(() => ID, { nullable: true, description: 'Only what was done to this one; give subjectType too.' })
  subjectId?: string | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only what was done after this time.' })
  createdAfter?: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'Only what was done before this time.' })
  createdBefore?: Date | null;
}

@Resolver()
export class AuditEventResolver {
  @Query(() => AuditEventPage, { description: 'The audit log of your organization, newest first. Needs ADMIN.' })
  auditEvents(
    @Ctx() context: GraphQLContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => AuditEventFilter, { nullable: true, description: 'Only those to which all of this applies.' })
    filter?: AuditEventFilter | null,
  ): Promise<object> {
    const caller = context.caller('admin');
    return context.page(() => listAuditEvents(context.dependencies, caller, page, filter ?? {}));
  }
}
