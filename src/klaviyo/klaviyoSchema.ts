import type { ConnectionType } from '../ConnectionType.js';

/** What Klaviyo connections add to the GraphQL schema. */
export const klaviyoGraphQL: ConnectionType['graphql'] = {
  fieldScopes: { 'KlaviyoConfiguration.quota': 'read', 'KlaviyoConfiguration.bulkQuota': 'read' },
  schema: `
    extend enum ConnectionType {
      "A merchant's Klaviyo account, linked by OAuth."
      KLAVIYO
    }

    extend union ConnectionConfiguration = KlaviyoConfiguration

    extend input ConnectionConfigurationInput {
      "The configuration of a KLAVIYO connection. A change takes effect with the next authorization."
      klaviyo: KlaviyoConfigurationInput
    }

    extend input CreateConnectionInput {
      "The configuration of a KLAVIYO connection."
      klaviyo: KlaviyoConfigurationInput @deprecated(reason: "Use configuration: { klaviyo }.")
    }

    extend input UpdateConnectionInput {
      "The configuration of a KLAVIYO connection. A change takes effect with the next authorization."
      klaviyo: KlaviyoConfigurationInput @deprecated(reason: "Use configuration: { klaviyo }.")
    }

    "The configuration of a Klaviyo connection."
    input KlaviyoConfigurationInput {
      "Scopes to request, at most 100; KLAVIYO_SCOPES of the server by default. accounts:read is always requested, and events:write once the connection has a subscription. A scope that klaviyoScopes does not list is requested with a warning."
      scopes: [String!]
    }

    "The configuration of a Klaviyo connection, and its limits at Klaviyo."
    type KlaviyoConfiguration {
      "Scopes that the next authorization requests: those of the configuration and, once the connection has a subscription, events:write."
      requestedScopes: [String!]!
      "Scopes of the grant; empty without a grant."
      grantedScopes: [String!]! @deprecated(reason: "Use Connection.grant { grantedScopes }.")
      "Scopes of requestedScopes that the grant lacks. Authorize again once the Klaviyo app has them."
      missingScopes: [String!]! @deprecated(reason: "Use Connection.grant { missingScopes }.")
      "The linked account; null before the first authorization."
      account: KlaviyoAccount @deprecated(reason: "Use Connection.account.")
      "When the access token expires. It is refreshed automatically."
      accessTokenExpiresAt: DateTime @deprecated(reason: "Use Connection.grant { accessTokenExpiresAt }.")
      "When the access token was last refreshed."
      lastRefreshedAt: DateTime @deprecated(reason: "Use Connection.grant { lastRefreshedAt }.")
      "When Klaviyo last said whether the grant is valid. It is asked once a day, and by checkConnection."
      lastCheckedAt: DateTime @deprecated(reason: "Use Connection.grant { lastCheckedAt }.")
      "The limits for events that are sent one by one. Null when none was sent within the last minute, or no account is linked."
      quota: KlaviyoQuota
      "The limits for bulk requests, which carry up to 1,000 events each when many wait. Null when none was sent within the last minute, or no account is linked."
      bulkQuota: KlaviyoQuota
    }

    "The remaining requests of one of Klaviyo's limits. Klaviyo counts by account, so all connections to the account share the limit."
    type KlaviyoQuota {
      "Requests that Klaviyo accepts in a second."
      perSecondLimit: Int!
      "Remaining requests of the current second. Switchboard uses about half of each second's limit."
      perSecondRemaining: Int!
      "Requests that Klaviyo accepts in a minute."
      perMinuteLimit: Int!
      "Remaining requests of the current minute."
      perMinuteRemaining: Int!
      "When the current minute ends."
      resetsAt: DateTime!
      "Until when nothing is sent, because Klaviyo reported that the limit is reached; null otherwise."
      pausedUntil: DateTime
    }
  `,
};
