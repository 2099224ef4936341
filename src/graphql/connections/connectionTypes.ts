import { GraphQLDateTime, GraphQLJSONObject, GraphQLURL } from 'graphql-scalars';
import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ConnectionStatus, ConnectionType, WebhookAuthType } from '../../domain/Connection.js';
import type { Metadata } from '../../domain/Metadata.js';

const ConnectionTypeEnum = { WEBHOOK: 'webhook', KLAVIYO: 'klaviyo' } as const;
registerEnumType(ConnectionTypeEnum, {
  name: 'ConnectionType',
  description: 'The kinds of places that events can go to.',
  valuesConfig: {
    WEBHOOK: { description: 'Any HTTP endpoint.' },
    KLAVIYO: { description: "A merchant's Klaviyo account, linked by OAuth." },
  },
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

const WebhookAuthTypeEnum = { NONE: 'none', BEARER: 'bearer', BASIC: 'basic', API_KEY: 'api_key' } as const;
registerEnumType(WebhookAuthTypeEnum, {
  name: 'WebhookAuthType',
  description: 'How deliveries authenticate at a webhook.',
  valuesConfig: {
    NONE: { description: 'Not at all; the signature still proves who sent them.' },
    BEARER: { description: 'Authorization: Bearer token (RFC 6750).' },
    BASIC: { description: 'Authorization: Basic username and password (RFC 7617).' },
    API_KEY: { description: 'A key in a header of your choice.' },
  },
});

@ObjectType('Header', { description: 'A header that goes with every delivery.' })
class HeaderObject {
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

@ObjectType('Connection', { description: "Where events go: a webhook, or a merchant's Klaviyo account." })
export class ConnectionObject {
  @Field(() => ID, { description: 'Unique identifier.' })
  id!: number;

  @Field(() => ConnectionTypeEnum, { description: 'What kind of place it is. Never changes.' })
  type!: ConnectionType;

  @Field(() => String, { nullable: true, description: 'What people call it.' })
  name?: string | null;

  @Field(() => ConnectionStatusEnum, { description: 'Whether events can go out.' })
  status!: ConnectionStatus;

  @Field(() => String, { nullable: true, description: 'Why it is not active, in a sentence; null when it is.' })
  statusReason?: string | null;

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

@InputType({ description: 'A header to send with every delivery.' })
class HeaderInput {
  @Field(() => String, { description: "A header's name; those that frame, sign or authenticate a delivery are refused." })
  name!: string;

  @Field(() => String, { description: 'One line.' })
  value!: string;
}

@InputType({ description: 'Secrets for the chosen authType. Never readable again.' })
class WebhookAuthConfigInput {
  @Field(() => String, { nullable: true, description: 'For BEARER.' })
  token?: string | null;

  @Field(() => String, { nullable: true, description: 'For BASIC.' })
  username?: string | null;

  @Field(() => String, { nullable: true, description: 'For BASIC.' })
  password?: string | null;

  @Field(() => String, { nullable: true, description: 'For API_KEY: the header that carries the key.' })
  headerName?: string | null;

  @Field(() => String, { nullable: true, description: 'For API_KEY.' })
  apiKey?: string | null;
}

@InputType({ description: 'Where and how to call a webhook.' })
class WebhookConfigurationInput {
  @Field(() => GraphQLURL, {
    nullable: true,
    description:
      'http or https, public, without credentials. Required on creation. Another origin (scheme, host or port) needs authConfig and extraHeaders again.',
  })
  url?: URL | null;

  @Field(() => WebhookAuthTypeEnum, { nullable: true, description: 'NONE when not given.' })
  authType?: WebhookAuthType | null;

  @Field(() => WebhookAuthConfigInput, { nullable: true, description: 'The secrets that authType takes.' })
  authConfig?: WebhookAuthConfigInput | null;

  @Field(() => [HeaderInput], { nullable: true, description: 'At most 20; replaces the whole list.' })
  extraHeaders?: HeaderInput[] | null;
}

@InputType({ description: 'What to ask of Klaviyo.' })
class KlaviyoConfigurationInput {
  @Field(() => [String], {
    nullable: true,
    description:
      'Scopes to ask for, at most 100; one that klaviyoScopes does not list is asked for with a warning. accounts:read is always among them, and events:write once there is a subscription. As the server is configured when not given.',
  })
  scopes?: string[] | null;
}

@InputType({ description: 'A new connection.' })
export class CreateConnectionInput {
  @Field(() => ConnectionTypeEnum, { description: 'What kind of place it is.' })
  type!: ConnectionType;

  @Field(() => String, { nullable: true, description: 'What people call it; at most 200 characters.' })
  name?: string | null;

  @Field(() => WebhookConfigurationInput, { nullable: true, description: 'For WEBHOOK: required.' })
  webhook?: WebhookConfigurationInput | null;

  @Field(() => KlaviyoConfigurationInput, { nullable: true, description: 'For KLAVIYO: optional.' })
  klaviyo?: KlaviyoConfigurationInput | null;

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

  @Field(() => WebhookConfigurationInput, { nullable: true, description: 'For WEBHOOK.' })
  webhook?: WebhookConfigurationInput | null;

  @Field(() => KlaviyoConfigurationInput, {
    nullable: true,
    description: 'For KLAVIYO; takes effect with the next authorization.',
  })
  klaviyo?: KlaviyoConfigurationInput | null;

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
  type?: ConnectionType | null;

  @Field(() => ConnectionStatusEnum, { nullable: true, description: 'Only in this status.' })
  status?: ConnectionStatus | null;

  @Field(() => String, { nullable: true, description: 'Only the one with this externalId.' })
  externalId?: string | null;
}
