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
  description: 'The status of an authorization.',
  valuesConfig: {
    PENDING: { description: "The merchant's browser has not returned yet." },
    COMPLETED: { description: 'The connection was linked.' },
    DENIED: { description: 'The merchant denied access.' },
    FAILED: { description: 'The authorization failed; errorCode and errorDescription have the reason.' },
    EXPIRED: { description: 'The browser did not return in time.' },
    SUPERSEDED: { description: 'A newer authorization replaced it.' },
  },
});

@ObjectType('Authorization', { description: 'One attempt to link a provider, and its outcome.' })
export class AuthorizationObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: "The reason as a sentence for developers, with the provider's own description.",
  })
  errorDescription?: string | null;

  @Field(() => [String], { description: 'The requested scopes.' })
  scopes!: string[];

  @Field(() => GraphQLDateTime, { description: 'When the authorization expires: ten minutes after its start.' })
  expiresAt!: Date;

  @Field(() => GraphQLDateTime, { description: 'When the authorization was started.' })
  createdAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the authorization ended, with whatever outcome.' })
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
    PAGE: { description: 'In the same window: a redirect (303) to returnTo, or a page of this server without one.' },
    POPUP: { description: 'In a pop-up, which sends a message to window.opener at the origin of returnTo and closes itself.' },
  },
});

/** The fields of every input that starts an authorization. */
@InputType()
export abstract class AuthorizationInput {
  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      'The URL to which the browser returns, with the parameters connection and outcome, and after a failure error_code and error_description. Its origin must be in RETURN_TO_ORIGINS.',
  })
  returnTo?: URL | null;

  @Field(() => AuthorizationDisplayEnum, {
    defaultValue: 'page',
    description: 'POPUP when the app opens the URL with window.open.',
  })
  display?: AuthorizationDisplay;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Sets a cookie with the response, which the callback requires: only this browser can complete the authorization.',
  })
  bindToBrowser?: boolean;
}

@InputType({ description: 'The connection to link, and how the browser returns.' })
export class StartAuthorizationInput extends AuthorizationInput {
  @Field(() => ID, { description: 'Id of a KLAVIYO connection.' })
  connectionId!: string;

  @Field(() => Boolean, { defaultValue: false, description: 'True to allow another Klaviyo account than the linked one.' })
  allowAccountChange?: boolean;
}

@InputType({ description: 'The connection whose grant to revoke.' })
export class RevokeAuthorizationInput {
  @Field(() => ID, { description: 'Id of a KLAVIYO connection.' })
  connectionId!: string;
}

/** The payload fields of every mutation that starts an authorization. */
export interface StartedAuthorizationFields {
  readonly authorizationUrl: string;
  readonly expiresAt: Date;
  readonly authorization: AuthorizationObject;
}

export const startedAuthorizationFields = {
  authorizationUrl: [() => GraphQLURL, "The provider's URL to open in the merchant's browser."],
  expiresAt: [() => GraphQLDateTime, 'When the authorization expires.'],
  authorization: [() => AuthorizationObject, 'The authorization.'],
} as const;

export const StartAuthorizationPayload = payloadType<StartedAuthorizationFields>(
  'StartAuthorizationPayload',
  "The provider's URL for the merchant's browser, or the problems of the input.",
  startedAuthorizationFields,
);
export type StartAuthorizationPayload = InstanceType<typeof StartAuthorizationPayload>;
