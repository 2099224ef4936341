import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { SessionPermission } from '../../domain/Session.js';
import { pageTypes } from '../pagination.js';
import { UserErrorObject } from '../userErrors.js';

const SessionPermissionEnum = { CONNECT: 'connect', VIEW: 'view', MANAGE: 'manage' } as const;
registerEnumType(SessionPermissionEnum, {
  name: 'SessionPermission',
  description: 'What a session may do. None reads a payload, a recipient or a secret.',
  valuesConfig: {
    CONNECT: { description: 'Link one connection, or link it again, and see how it fares.' },
    VIEW: { description: 'See connections, subscriptions and deliveries.' },
    MANAGE: { description: 'What VIEW may, and change connections and subscriptions, test them, and try deliveries again.' },
  },
});

@ObjectType('Session', { description: "A browser's short, narrow permission to call the API." })
export class SessionObject {
  @Field(() => ID, { description: 'Unique identifier. Not the token.' })
  id!: string;

  @Field(() => [SessionPermissionEnum], { description: 'What it may do.' })
  permissions!: readonly string[] | readonly SessionPermission[];

  @Field(() => String, { nullable: true, description: 'The origin of the pages that may call with it; null when it names none.' })
  origin?: string | null;

  @Field(() => GraphQLURL, { nullable: true, description: 'Where its authorizations send the browser unless told otherwise.' })
  returnTo?: string | null;

  @Field(() => String, { nullable: true, description: 'The language of its pages (BCP 47).' })
  locale?: string | null;

  @Field(() => GraphQLDateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'Until when it works, unless it is ended before.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When it was ended: by endSession, with its key, or with its connection. Null while it was not.',
  })
  endedAt?: Date | null;
}

export const SessionPage = pageTypes('Session', 'sessions', () => SessionObject);

@InputType({ description: 'Which sessions to list.' })
export class SessionFilter {
  @Field(() => Boolean, { nullable: true, description: 'True: only those that work; false: only those that are over.' })
  isAlive?: boolean | null;

  @Field(() => ID, { nullable: true, description: 'Only for this connection.' })
  connectionId?: string | null;
}

@InputType({ description: 'A new session.' })
export class CreateSessionInput {
  @Field(() => [SessionPermissionEnum], { description: 'What it may do; each once at most.' })
  permissions!: SessionPermission[];

  @Field(() => ID, {
    nullable: true,
    description:
      'The only connection that it may touch, with what hangs on it; all of the organization without. CONNECT needs one that has to be authorized.',
  })
  connectionId?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The origin of the pages that may call with it, such as https://app.example.com: https, or http for localhost. Without one, those of CORS_ORIGINS may.',
  })
  origin?: string | null;

  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      "Where its authorizations send the browser unless told otherwise. Its origin must be the session's, or in RETURN_TO_ORIGINS.",
  })
  returnTo?: URL | null;

  @Field(() => Int, { nullable: true, description: 'Seconds for which it works: 300 to 86400; 1800 when not given.' })
  expiresIn?: number | null;

  @Field(() => String, { nullable: true, description: 'The language of its pages as a BCP 47 tag, such as nl-NL.' })
  locale?: string | null;
}

@InputType({ description: 'Which session to end.' })
export class EndSessionInput {
  @Field(() => ID, { description: 'The session.' })
  id!: string;
}

@ObjectType({ description: 'The new session with its token, or what is wrong with the input.' })
export class CreateSessionPayload {
  @Field(() => SessionObject, { nullable: true, description: 'The session; null when there are userErrors.' })
  session?: SessionObject | null;

  @Field(() => String, {
    nullable: true,
    description: 'What the browser sends as `Authorization: Bearer`. Shown this once and never again.',
  })
  token?: string | null;

  @Field(() => GraphQLURL, {
    nullable: true,
    description: 'The page where the connection is linked; it holds the token. Null without CONNECT.',
  })
  url?: string | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}

@ObjectType({ description: 'The session, or what is wrong with the input.' })
export class SessionPayload {
  @Field(() => SessionObject, { nullable: true, description: 'The session; null when there are userErrors.' })
  session?: SessionObject | null;

  @Field(() => [UserErrorObject], { description: 'What a person can mend. Empty when all went well.' })
  userErrors!: readonly UserErrorObject[];
}
