import type { GraphQLClient } from './GraphQLClient.js';
import { openCallback } from './openCallback.js';

const CREATE = `mutation ($scopes: [String!]) {
  createConnection(input: { type: KLAVIYO, klaviyo: { scopes: $scopes } }) { connection { id status } userErrors { code message path } }
}`;

const START = `mutation ($input: StartAuthorizationInput!) {
  startAuthorization(input: $input) {
    authorizationUrl expiresAt authorization { id status } userErrors { code message path }
  }
}`;

const SEE = `query ($id: ID!) {
  connection(id: $id) {
    id status isEnabled statusReason statusReasonCode
    configuration { ... on KlaviyoConfiguration {
      requestedScopes grantedScopes missingScopes accessTokenExpiresAt account { id name timezone }
    } }
    authorization { id status errorCode providerErrorCode errorDescription completedAt }
  }
}`;

/** Creates a Klaviyo connection. Returns its id. */
export async function createKlaviyoConnection(client: GraphQLClient, scopes?: string[]): Promise<string> {
  const { createConnection } = await client.query(CREATE, { scopes });
  return createConnection.connection.id;
}

/** Starts an authorization. Returns Klaviyo's URL. */
export async function startKlaviyoAuthorization(client: GraphQLClient, connectionId: string, input: object = {}): Promise<URL> {
  const { startAuthorization } = await client.query(START, { input: { connectionId, ...input } });
  if (startAuthorization.userErrors.length > 0) throw new Error(JSON.stringify(startAuthorization.userErrors));
  return new URL(startAuthorization.authorizationUrl);
}

export async function seeConnection(client: GraphQLClient, id: string) {
  return (await client.query(SEE, { id })).connection;
}

/** Decides at the consent page as a merchant's browser does. Returns the URL to which Klaviyo redirects it. */
export async function decideAtKlaviyo(
  authorizationUrl: URL,
  decision: 'allow' | 'deny' = 'allow',
  account?: string,
): Promise<URL> {
  const page = await fetch(authorizationUrl, { redirect: 'manual' });
  const markup = await page.text();
  if (page.status !== 200) throw new Error(`Consent page answered ${page.status}: ${markup}`);
  const form = new URLSearchParams(authorizationUrl.search);
  form.set('decision', decision);
  if (account) form.set('account', account);
  const action = new URL(authorizationUrl);
  action.search = '';
  const response = await fetch(action, { method: 'POST', body: form, redirect: 'manual' });
  const location = response.headers.get('location');
  if (!location) throw new Error(`Consent answered ${response.status}: ${await response.text()}`);
  return new URL(location, action);
}

/** Links a new connection, or an existing one again. Returns the id of an ACTIVE connection. */
export async function connectKlaviyo(client: GraphQLClient, account?: string, connectionId?: string): Promise<string> {
  const id = connectionId ?? (await createKlaviyoConnection(client));
  const callback = await decideAtKlaviyo(await startKlaviyoAuthorization(client, id), 'allow', account);
  const answer = await openCallback(callback);
  if (answer.status !== 200) throw new Error(`The callback answered ${answer.status}: ${answer.text}`);
  return id;
}
