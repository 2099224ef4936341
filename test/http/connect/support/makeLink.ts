import type { GraphQLClient } from '../../../support/GraphQLClient.js';
import { createKlaviyoConnection } from '../../../support/klaviyoFlow.js';
import { tryCreateSession } from '../../../support/sessionFlow.js';

export interface Link {
  readonly url: string;
  readonly token: string;
  /** The id of its session. */
  readonly id: string;
  readonly connectionId: string;
}

/** Creates a session with CONNECT, for a connection or for a new Klaviyo connection. Returns its link. */
export async function makeLink(client: GraphQLClient, input: object = {}, connectionId?: string): Promise<Link> {
  const ofConnection = connectionId ?? (await createKlaviyoConnection(client));
  const made = await tryCreateSession(client, { permissions: ['CONNECT'], connectionId: ofConnection, ...input });
  if (made.userErrors.length > 0) throw new Error(JSON.stringify(made.userErrors));
  return { url: made.url, token: made.token, id: made.session.id, connectionId: ofConnection };
}
