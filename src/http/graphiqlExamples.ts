/** The operations that GraphiQL opens with: the first flow, in order. */
export const graphiqlExamples: readonly { name: string; query: string; variables?: string }[] = [
  {
    name: 'Create a Klaviyo connection',
    query: `# 1. A connection says where events go. Press the Execute button.
mutation CreateKlaviyoConnection {
  createConnection(input: { type: KLAVIYO, name: "My Klaviyo account" }) {
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
        configuration {
          ... on KlaviyoConfiguration {
            grantedScopes
            missingScopes
            accessTokenExpiresAt
            account {
              id
              name
              timezone
            }
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
];
