import { GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { createUnionType, Field, ID, Int, ObjectType } from 'type-graphql';
import type { WebhookAuthType } from '../../domain/Connection.js';
import { WebhookAuthTypeEnum } from './connectionEnums.js';

@ObjectType('Header', { description: 'A header that goes with every delivery.' })
export class HeaderObject {
  @Field(() => String, { description: 'Its name (RFC 9110 5.1).' })
  name!: string;

  @Field(() => String, { description: 'Its value, one line.' })
  value!: string;
}

@ObjectType('WebhookConfiguration', { description: 'Where and how a webhook is called. Its secrets can be written, never read.' })
export class WebhookConfigurationObject {
  @Field(() => GraphQLURL, { description: 'The endpoint that deliveries are posted to.' })
  url!: string;

  @Field(() => WebhookAuthTypeEnum, { description: 'How deliveries authenticate there.' })
  authType!: WebhookAuthType;

  @Field(() => [HeaderObject], { description: 'Sent with every delivery, after signature and auth.' })
  extraHeaders!: readonly HeaderObject[];
}

@ObjectType('KlaviyoAccount', { description: 'The Klaviyo account that a connection is linked to.' })
export class KlaviyoAccountObject {
  @Field(() => ID, { description: "Klaviyo's id of the account." })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The name of its organization.' })
  name!: string | null;

  @Field(() => String, { nullable: true, description: 'Its time zone, such as Europe/Amsterdam.' })
  timezone!: string | null;
}

@ObjectType('KlaviyoQuota', {
  description:
    "What is left of one of Klaviyo's limits, which it counts by account. All that this server sends counts, by whichever connection.",
})
export class KlaviyoQuotaObject {
  @Field(() => Int, { description: 'Requests that Klaviyo takes in a second.' })
  perSecondLimit!: number;

  @Field(() => Int, { description: 'How many of them are left in this second. About half of a second is used.' })
  perSecondRemaining!: number;

  @Field(() => Int, { description: 'Requests that Klaviyo takes in a minute.' })
  perMinuteLimit!: number;

  @Field(() => Int, { description: 'How many of them are left in this minute.' })
  perMinuteRemaining!: number;

  @Field(() => GraphQLDateTime, { description: 'When the minute ends.' })
  resetsAt!: Date;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'Nothing is sent before, since Klaviyo said that its limit is reached; null otherwise.',
  })
  pausedUntil!: Date | null;
}

@ObjectType('KlaviyoConfiguration', { description: 'What a Klaviyo connection asks for, and what it was granted.' })
export class KlaviyoConfigurationObject {
  @Field(() => [String], {
    description:
      'Scopes that the next authorization asks for: those that the connection names and, once it has a subscription, events:write.',
  })
  requestedScopes!: readonly string[];

  @Field(() => [String], { description: 'Scopes of the grant in hand; empty without one.' })
  grantedScopes!: readonly string[];

  @Field(() => [String], {
    description: 'Of requestedScopes, those that the grant in hand lacks: authorize again once the Klaviyo app has them.',
  })
  missingScopes!: readonly string[];

  @Field(() => KlaviyoAccountObject, { nullable: true, description: 'The linked account; null before the first authorization.' })
  account!: KlaviyoAccountObject | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the access token expires. It is refreshed by itself.' })
  accessTokenExpiresAt!: Date | null;

  @Field(() => GraphQLDateTime, { nullable: true, description: 'When the access token was last refreshed.' })
  lastRefreshedAt!: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'When Klaviyo last said whether the grant lives: asked once a day, or by checkConnection.',
  })
  lastCheckedAt!: Date | null;
}

export const ConnectionConfigurationUnion = createUnionType({
  name: 'ConnectionConfiguration',
  description: "A connection's configuration; which one, its type decides.",
  types: () => [WebhookConfigurationObject, KlaviyoConfigurationObject] as const,
  resolveType: (value) => ('url' in value ? WebhookConfigurationObject : KlaviyoConfigurationObject),
});
