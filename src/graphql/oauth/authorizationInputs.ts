import { GraphQLURL } from 'graphql-scalars';
import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import type { AuthorizationDisplay } from '../../domain/Authorization.js';

export const AuthorizationDisplayEnum = { PAGE: 'page', POPUP: 'popup' } as const;
registerEnumType(AuthorizationDisplayEnum, {
  name: 'AuthorizationDisplay',
  description: 'How the browser shows the outcome (after OpenID Connect Core 3.1.2.1, display).',
  valuesConfig: {
    PAGE: { description: 'In the same window: 303 to returnTo, or our own page without one.' },
    POPUP: { description: "In a pop-up: tells window.opener at returnTo's origin with postMessage, and closes itself." },
  },
});

@InputType({ description: 'Which connection to link, and how to come back.' })
export class StartAuthorizationInput {
  @Field(() => ID, { description: 'A KLAVIYO connection.' })
  connectionId!: string;

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

  @Field(() => Boolean, { defaultValue: false, description: 'Allows another Klaviyo account than the one linked before.' })
  allowAccountChange?: boolean;
}

@InputType({ description: 'Which connection to unlink.' })
export class RevokeAuthorizationInput {
  @Field(() => ID, { description: 'A KLAVIYO connection.' })
  connectionId!: string;
}
