import type { GraphQLClient } from '../../support/GraphQLClient.js';

const CONNECTION = `id type name status statusReason createdAt updatedAt
  configuration {
    ... on WebhookConfiguration { url authType extraHeaders { name value } }
    ... on KlaviyoConfiguration { requestedScopes grantedScopes missingScopes account { id } }
  }`;
const USER_ERRORS = 'userErrors { code message path }';

export const createConnection = async (client: GraphQLClient, input: object) =>
  (
    await client.query(
      `mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { ${CONNECTION} } ${USER_ERRORS} } }`,
      { input },
    )
  ).createConnection;

export const updateConnection = async (client: GraphQLClient, input: object) =>
  (
    await client.query(
      `mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) { connection { ${CONNECTION} } ${USER_ERRORS} } }`,
      { input },
    )
  ).updateConnection;

export const deleteConnection = async (client: GraphQLClient, id: string) =>
  (
    await client.query(
      `mutation ($input: DeleteConnectionInput!) { deleteConnection(input: $input) { deletedId ${USER_ERRORS} } }`,
      { input: { id } },
    )
  ).deleteConnection;

export const findConnection = async (client: GraphQLClient, id: string) =>
  (await client.query(`query ($id: ID!) { connection(id: $id) { ${CONNECTION} } }`, { id })).connection;

/** Creates a valid webhook connection, and returns it. */
export async function createWebhook(client: GraphQLClient, webhook: object = {}, name?: string) {
  const { connection, userErrors } = await createConnection(client, {
    type: 'WEBHOOK',
    name,
    webhook: { url: 'https://example.com/hooks', ...webhook },
  });
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  return connection;
}
