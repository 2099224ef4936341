import { GraphQLURL } from 'graphql-scalars';
import { Field, ID, InputType, Int } from 'type-graphql';
import type { ConnectionStatus, ConnectionType, WebhookAuthType } from '../../domain/Connection.js';
import { ConnectionStatusEnum, ConnectionTypeEnum, WebhookAuthTypeEnum } from './connectionEnums.js';

@InputType({ description: 'A header to send with every delivery.' })
export class HeaderInput {
  @Field(() => String, { description: "A header's name; those that frame, sign or authenticate a delivery are refused." })
  name!: string;

  @Field(() => String, { description: 'One line.' })
  value!: string;
}

@InputType({ description: 'Secrets for the chosen authType. Never readable again.' })
export class WebhookAuthConfigInput {
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
export class WebhookConfigurationInput {
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
export class KlaviyoConfigurationInput {
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
}
