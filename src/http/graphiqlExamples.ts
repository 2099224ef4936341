import { parcelEventCreated } from '../events/types/parcelEvents.js';
import type { GraphiqlExample } from './graphiql/graphiql.js';

/**
 * Returns the operations that GraphiQL opens with: linking Klaviyo, then publishing to a webhook. `inboxUrl` is the
 * webhook's URL.
 */
export const graphiqlExamples = (inboxUrl: string): readonly GraphiqlExample[] => [
  {
    name: 'Create a Klaviyo connection',
    query: `# 1. A connection says where events go. Press the Execute button.
mutation CreateKlaviyoConnection {
  createConnection(input: { name: "My Klaviyo account", configuration: { klaviyo: {} } }) {
    connection {
      id
      status
      statusReason
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,
  },
  {
    name: 'Start its authorization',
    query: `# 2. Put the id from step 1 below, execute, and open authorizationUrl in a new tab.
mutation StartAuthorization($connectionId: ID!) {
  startAuthorization(input: { connectionId: $connectionId }) {
    authorizationUrl
    expiresAt
    userErrors {
      code
      message
      path
    }
  }
}
`,
    variables: '{\n  "connectionId": "1"\n}\n',
  },
  {
    name: 'See the connection',
    query: `# 3. After you chose Allow: ACTIVE, with the account. After Deny: why not.
query Connections {
  connections(first: 10) {
    totalCount
    edges {
      node {
        id
        name
        type
        status
        statusReason
        problem
        account {
          id
          name
          timezone
        }
        grant {
          grantedScopes
          missingScopes
          accessTokenExpiresAt
        }
        configuration {
          ... on KlaviyoConfiguration {
            requestedScopes
          }
          ... on WebhookConfiguration {
            url
            authType
          }
        }
        authorization {
          status
          errorCode
          errorDescription
          completedAt
        }
      }
    }
  }
}
`,
  },
  {
    name: 'Create a webhook',
    query: `# 4. The sandbox has a receiver: open the URL below in a browser to see what arrives.
mutation CreateWebhook($url: URL!) {
  createConnection(input: { name: "My webhook", configuration: { webhook: { url: $url } } }) {
    connection {
      id
      status
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,
    variables: `{\n  "url": ${JSON.stringify(inboxUrl)}\n}\n`,
  },
  {
    name: 'Subscribe it to parcel events',
    query: `# 5. Put the connection's id below.
mutation Subscribe($connectionId: ID!) {
  createSubscription(input: { connectionId: $connectionId, eventType: "parcels.event.created" }) {
    subscription {
      id
      isActive
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,
    variables: '{\n  "connectionId": "2"\n}\n',
  },
  {
    name: 'Publish an event',
    query: `# 6. Checked against the schema of its type; eventTypes shows it, with a sample.
mutation Publish($data: JSONObject!) {
  publishEvent(
    input: { eventType: "parcels.event.created", data: $data, recipient: { email: "anna@example.com" } }
  ) {
    event {
      id
      createdAt
    }
    duplicate
    userErrors {
      code
      message
      path
    }
  }
}
`,
    variables: `${JSON.stringify({ data: parcelEventCreated.sample }, null, 2)}\n`,
  },
  {
    name: 'See the deliveries',
    query: `# 7. Every delivery, with every attempt.
query Deliveries {
  deliveries(first: 10) {
    edges {
      node {
        id
        status
        nextAttemptAt
        connection {
          id
          type
          name
        }
        attempts {
          number
          trigger
          statusCode
          responseBody
          durationMs
          error {
            code
            message
          }
        }
      }
    }
  }
}
`,
  },
  {
    name: 'Watch the deliveries',
    query: `# 8. Execute, then publish again in another tab.
# Deliveries show up here as they change.
subscription Watch {
  deliveryUpdated {
    id
    status
    attemptCount
    updatedAt
    connection {
      id
      name
    }
  }
}
`,
  },
  {
    name: 'Let a browser in',
    query: `# 9. Put the id of the Klaviyo connection below. The token is what a page sends as
# "Authorization: Bearer …": it can link this one connection, and nothing else.
mutation CreateSession($connectionId: ID!) {
  createSession(input: { permissions: [CONNECT], connectionId: $connectionId }) {
    session {
      id
      expiresAt
    }
    token
    url
    userErrors {
      code
      message
      path
    }
  }
}
`,
    variables: '{\n  "connectionId": "1"\n}\n',
  },
];
