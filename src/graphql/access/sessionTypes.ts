import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { SessionPermission } from '../../domain/Session.js';
import { pageTypes } from '../pagination.js';
import { UserErrorObject } from '../userErrors.js';

const SessionPermissionEnum = { CONNECT: 'connect', VIEW: 'view', MANAGE: 'manage' } as const;
registerEnumType(SessionPermissionEnum, {
  name: 'SessionPermission',
  description: 'What a session may do. No session can read the data of an event, a recipient or a secret.',
  valuesConfig: {
    CONNECT: { description: 'Authorize one connection, and read its status.' },
    VIEW: { description: 'Read connections, subscriptions and deliveries.' },
    MANAGE: { description: 'Everything that VIEW may, and change and test connections and subscriptions, and retry deliveries.' },
  },
});

@ObjectType('Session', { description: "A browser's short, narrow permission to call the API." })
export class SessionObject {
  @Field(() => ID, { description: 'Unique identifier, which is not the token.' })
  id!: string;

  @Field(() => [SessionPermissionEnum], { description: 'Permissions of the session.' })
  permissions!: readonly string[] | readonly SessionPermission[];

  @Field(() => String, {
    nullable: true,
    description: 'The origin of the pages that may use the session; null when the session names none.',
  })
  origin?: string | null;

  @Field(() => GraphQLURL, {
    nullable: true,
    description: 'The URL to which authorizations of the session send the browser by default.',
  })
  returnTo?: string | null;

  @Field(() => String, { nullable: true, description: 'Language of the pages of the session (BCP 47).' })
  locale?: string | null;

  @Field(() => GraphQLDateTime, { description: 'When the session was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the session expires, unless it is ended before.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When the session was ended: by endSession, or with its key or connection. Null while it was not ended.',
  })
  endedAt?: Date | null;
}

export const SessionPage = pageTypes('Session', 'sessions', () => SessionObject);

@InputType({ description: 'Conditions for a list of sessions.' })
export class SessionFilter {
  @Field(() => Boolean, { nullable: true, description: 'True for valid sessions only; false for expired and ended ones only.' })
  isAlive?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Only sessions of this connection.' })
  connectionId?: string | null;
}

@InputType({ description: 'A new session.' })
export class CreateSessionInput {
  @Field(() => [SessionPermissionEnum], { description: 'Permissions of the session, each at most once.' })
  permissions!: SessionPermission[];

  @Field(() => ID, {
    nullable: true,
    description:
      'The only connection that the session can reach, with its subscriptions and deliveries; the whole organization when absent. CONNECT requires a connection that needs an authorization.',
  })
  connectionId?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The origin of the pages that may use the session, such as https://app.example.com: https, or http for localhost. Without one, pages of CORS_ORIGINS may use it.',
  })
  origin?: string | null;

  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      "The URL to which authorizations of the session send the browser by default. Its origin must be the session's, or in RETURN_TO_ORIGINS.",
  })
  returnTo?: URL | null;

  @Field(() => Int, { nullable: true, description: 'Lifetime in seconds: 300 to 86400; 1800 by default.' })
  expiresIn?: number | null;

  @Field(() => String, { nullable: true, description: 'Language of the pages of the session as a BCP 47 tag, such as nl-NL.' })
  locale?: string | null;
}

@InputType({ description: 'The session to end.' })
export class EndSessionInput {
  @Field(() => ID, { description: 'Id of the session.' })
  id!: string;
}

@ObjectType({ description: 'The new session with its token, or the problems of the input.' })
export class CreateSessionPayload {
  @Field(() => SessionObject, { nullable: true, description: 'The session; null when there are userErrors.' })
  session?: SessionObject | null;

  @Field(() => String, {
    nullable: true,
    description: 'The token, which the browser sends as `Authorization: Bearer`. It is shown only here.',
  })
  token?: string | null;

  @Field(() => GraphQLURL, {
    nullable: true,
    description: 'URL of the connect page, which contains the token. Null without CONNECT.',
  })
  url?: string | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'The session, or the problems of the input.' })
export class SessionPayload {
  @Field(() => SessionObject, { nullable: true, description: 'The session; null when there are userErrors.' })
  session?: SessionObject | null;

  @Field(() => [UserErrorObject], { description: 'Problems of the input that a person can fix. Empty on success.' })
  userErrors!: readonly UserErrorObject[];
}
