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
      "For KLAVIYO. A change takes effect with the next authorization."
      klaviyo: KlaviyoConfigurationInput
    }

    extend input CreateConnectionInput {
      "For KLAVIYO."
      klaviyo: KlaviyoConfigurationInput @deprecated(reason: "Use configuration: { klaviyo }.")
    }

    extend input UpdateConnectionInput {
      "For KLAVIYO; takes effect with the next authorization."
      klaviyo: KlaviyoConfigurationInput @deprecated(reason: "Use configuration: { klaviyo }.")
    }

    "What to ask of Klaviyo."
    input KlaviyoConfigurationInput {
      "Scopes to ask for, at most 100; one that klaviyoScopes does not list is asked for with a warning. accounts:read is always among them, and events:write once there is a subscription. As the server is configured when not given."
      scopes: [String!]
    }

    "What a Klaviyo connection asks for, and what it was granted."
    type KlaviyoConfiguration {
      "Scopes that the next authorization asks for: those that the connection names and, once it has a subscription, events:write."
      requestedScopes: [String!]!
      "Scopes of the grant in hand; empty without one."
      grantedScopes: [String!]! @deprecated(reason: "Use Connection.grant { grantedScopes }.")
      "Of requestedScopes, those that the grant in hand lacks: authorize again once the Klaviyo app has them."
      missingScopes: [String!]! @deprecated(reason: "Use Connection.grant { missingScopes }.")
      "The linked account; null before the first authorization."
      account: KlaviyoAccount @deprecated(reason: "Use Connection.account.")
      "When the access token expires. It is refreshed by itself."
      accessTokenExpiresAt: DateTime @deprecated(reason: "Use Connection.grant { accessTokenExpiresAt }.")
      "When the access token was last refreshed."
      lastRefreshedAt: DateTime @deprecated(reason: "Use Connection.grant { lastRefreshedAt }.")
      "When Klaviyo last said whether the grant lives: asked once a day, or by checkConnection."
      lastCheckedAt: DateTime @deprecated(reason: "Use Connection.grant { lastCheckedAt }.")
      "What is left for events sent one by one. Null when none was within the last minute, or no account is linked."
      quota: KlaviyoQuota
      "What is left of bulk requests, which carry up to 1,000 events each when many wait. Null as with \`quota\`."
      bulkQuota: KlaviyoQuota
    }

    "What is left of one of Klaviyo's limits, which it counts by account. All that this server sends counts, by whichever connection."
    type KlaviyoQuota {
      "Requests that Klaviyo takes in a second."
      perSecondLimit: Int!
      "How many of them are left in this second. About half of a second is used."
      perSecondRemaining: Int!
      "Requests that Klaviyo takes in a minute."
      perMinuteLimit: Int!
      "How many of them are left in this minute."
      perMinuteRemaining: Int!
      "When the minute ends."
      resetsAt: DateTime!
      "Nothing is sent before, since Klaviyo said that its limit is reached; null otherwise."
      pausedUntil: DateTime
    }
  `,
};
