import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import type { AuthorizationDisplay } from '../../domain/Authorization.js';
import { payloadType } from '../userErrors.js';

export const AuthorizationStatusEnum = {
  PENDING: 'pending',
  COMPLETED: 'completed',
  DENIED: 'denied',
  FAILED: 'failed',
  EXPIRED: 'expired',
  SUPERSEDED: 'superseded',
} as const;
registerEnumType(AuthorizationStatusEnum, {
  name: 'AuthorizationStatus',
  description: 'How far an attempt to link a provider came.',
  valuesConfig: {
    PENDING: { description: "Waits for the merchant's browser to come back." },
    COMPLETED: { description: 'Linked.' },
    DENIED: { description: 'The merchant said no.' },
    FAILED: { description: 'It broke; errorCode and errorDescription say how.' },
    EXPIRED: { description: 'Nobody came back in time.' },
    SUPERSEDED: { description: 'A newer attempt took its place.' },
  },
});

@ObjectType('Authorization', { description: 'One attempt to link a provider, and what became of it.' })
export class AuthorizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: "The reason as a sentence for developers, with the provider's own description.",
  })
  errorDescription?: string | null;

  @Field(() => [String], { description: 'The scopes that were asked for.' })
  scopes!: string[];

  @Field(() => GraphQLDateTime, { description: 'Until when the browser must be back: ten minutes after the start.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When it was started.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When it had an outcome, of whatever kind.' })
  completedAt?: Date | null;
}

@ObjectType('Grant', {
  description:
    "What the provider granted: the credential that deliveries to the merchant's account use. Its tokens cannot be read.",
})
export class GrantObject {
  @Field(() => [String], { description: 'The scopes of the grant.' })
  grantedScopes!: readonly string[];

  @Field(() => [String], {
    description: 'The scopes that the next authorization requests and this grant lacks. Authorize again to obtain them.',
  })
  missingScopes!: readonly string[];

  @Field(() => GraphQLDateTime, { description: 'When the access token expires. It is refreshed automatically.' })
  accessTokenExpiresAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the access token was last refreshed.' })
  lastRefreshedAt?: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When the provider last said whether the grant is valid. It is asked once a day, and by checkConnection.',
  })
  lastCheckedAt?: Date | null;
}

export const AuthorizationDisplayEnum = { PAGE: 'page', POPUP: 'popup' } as const;
registerEnumType(AuthorizationDisplayEnum, {
  name: 'AuthorizationDisplay',
  description: 'How the browser shows the outcome (after OpenID Connect Core 3.1.2.1, display).',
  valuesConfig: {
    PAGE: { description: 'In the same window: 303 to returnTo, or our own page without one.' },
    POPUP: { description: "In a pop-up: tells window.opener at returnTo's origin with postMessage, and closes itself." },
  },
});

/** How an authorization goes on, whatever it is started by. */
@InputType()
export abstract class AuthorizationInput {
  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      'Where the browser goes afterwards, with the parameters connection and outcome, and error_code and error_description when it did not work. Its origin must be in RETURN_TO_ORIGINS.',
  })
  returnTo?: URL | null;

  @Field(() => AuthorizationDisplayEnum, {
    defaultValue: 'page',
    description: 'POPUP when the app opens the URL with window.open.',
  })
  display?: AuthorizationDisplay;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Sets a cookie with this answer that the callback must bring: only this browser can complete the attempt.',
  })
  bindToBrowser?: boolean;
}

@InputType({ description: 'Which connection to link, and how to come back.' })
export class StartAuthorizationInput extends AuthorizationInput {
  @Field(() => ID, { description: 'A KLAVIYO connection.' })
  connectionId!: string;

  @Field(() => Boolean, { defaultValue: false, description: 'Allows another Klaviyo account than the one linked before.' })
  allowAccountChange?: boolean;
}

@InputType({ description: 'Which connection to unlink.' })
export class RevokeAuthorizationInput {
  @Field(() => ID, { description: 'A KLAVIYO connection.' })
  connectionId!: string;
}

/** What is told of an authorization that was started, whatever it was started by. */
export interface StartedAuthorizationFields {
  readonly authorizationUrl: string;
  readonly expiresAt: Date;
  readonly authorization: AuthorizationObject;
}

export const startedAuthorizationFields = {
  authorizationUrl: [() => GraphQLURL, "Open this in the merchant's browser."],
  expiresAt: [() => GraphQLDateTime, 'Until when the browser must be back.'],
  authorization: [() => AuthorizationObject, 'The attempt.'],
} as const;

export const StartAuthorizationPayload = payloadType<StartedAuthorizationFields>(
  'StartAuthorizationPayload',
  "The provider's URL to send the merchant's browser to, or what is wrong with the input.",
  startedAuthorizationFields,
);
export type StartAuthorizationPayload = InstanceType<typeof StartAuthorizationPayload>;
