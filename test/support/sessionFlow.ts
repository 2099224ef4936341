import type { GraphQLClient } from './GraphQLClient.js';

const CREATE = `mutation ($input: CreateSessionInput!) { createSession(input: $input) {
  token url userErrors { code message path }
  session { id permissions origin returnTo locale createdAt expiresAt endedAt connection { id } }
} }`;

// biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
export async function tryCreateSession(client: GraphQLClient, input: object): Promise<any> {
  return (await client.query(CREATE, { input })).createSession;
}

export interface MadeSession {
  readonly id: string;
  readonly token: string;
  /** The `Authorization` header of the session. */
  readonly authorization: string;
  /** Calls GraphQL as the session. */
  send(query: string, variables?: object, headers?: Record<string, string>): ReturnType<GraphQLClient['send']>;
}

/** Creates a session of a client's organization. */
export async function makeSession(client: GraphQLClient, input: object): Promise<MadeSession> {
  const { token, session, userErrors } = await tryCreateSession(client, input);
  if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
  const authorization = `Bearer ${token}`;
  return {
    ...{ id: session.id, token, authorization },
    send: (query, variables = {}, headers = {}) => client.send(query, variables, { authorization, ...headers }),
  };
}
