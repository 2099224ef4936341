import { graphql } from '../graphql/gql.js';

export const EVENT_TYPE_NAMES = graphql(`
  query EventTypeNames { eventTypes { name description } }
`);

export const SUBSCRIPTION_ROW = graphql(`
  fragment SubscriptionRow on Subscription {
    id
    eventType
    isActive
    createdAt
    connection {
      id
      name
      type
      account { id name }
      configuration {
        __typename
        ... on WebhookConfiguration { url }
      }
    }
  }
`);

export const CREATE_SUBSCRIPTION = graphql(`
  mutation CreateSubscription($input: CreateSubscriptionInput!) {
    createSubscription(input: $input) {
      subscription { ...SubscriptionRow }
      userErrors { code message path }
    }
  }
`);
