import type { KlaviyoControl } from '../../src/sandbox/createSandbox.js';
import type { GraphQLClient } from './GraphQLClient.js';
import { createKlaviyoConnection, decideAtKlaviyo, startKlaviyoAuthorization } from './klaviyoFlow.js';

export interface DecidedAuthorization {
  readonly connectionId: string;
  readonly authorizationUrl: URL;
  /** The URL to which the provider redirects the browser. It has not been opened yet. */
  readonly callback: URL;
  readonly account: { readonly id: string; readonly name: string };
}

interface Place {
  readonly client: GraphQLClient;
  readonly sandbox: { readonly klaviyo: KlaviyoControl } | null;
}

let made = 0;

/** Creates an account for one merchant, because Klaviyo allows one request to /api/accounts a second for each account. */
export function newAccount({ sandbox }: Place): { id: string; name: string } {
  made += 1;
  const account = { id: `Acc${String(made).padStart(3, '0')}`, name: `Store ${made}` };
  sandbox?.klaviyo.addAccount(account);
  return account;
}

/** Starts an authorization and lets the merchant decide on it. Returns it before the browser comes back. */
export async function decideAuthorization(
  place: Place,
  {
    input = {},
    decision = 'allow',
    account = newAccount(place),
    connectionId,
  }: {
    input?: object;
    decision?: 'allow' | 'deny';
    account?: { id: string; name: string };
    connectionId?: string;
  } = {},
): Promise<DecidedAuthorization> {
  const id = connectionId ?? (await createKlaviyoConnection(place.client));
  const authorizationUrl = await startKlaviyoAuthorization(place.client, id, input);
  const callback = await decideAtKlaviyo(authorizationUrl, decision, account.id);
  return { connectionId: id, authorizationUrl, callback, account };
}
