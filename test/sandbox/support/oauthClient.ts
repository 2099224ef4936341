import { createHash, randomBytes } from 'node:crypto';
import { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } from './startSandbox.js';

export const VERIFIER = randomBytes(32).toString('base64url');
export const BASIC = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString('base64')}`;

export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  scope: string;
}

type Changes = Record<string, string | undefined>;

const without = (values: Changes): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** Returns the seven parameters of an authorization request. An undefined value removes one. */
export const authorizeParameters = (changes: Changes = {}): Record<string, string> =>
  without({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: 'accounts:read events:write',
    state: 'the-state',
    code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    ...changes,
  });

export const openConsent = (base: string, changes: Changes = {}) =>
  fetch(`${base}/klaviyo/oauth/authorize?${new URLSearchParams(authorizeParameters(changes))}`, { redirect: 'manual' });

export const decide = (base: string, decision: Changes, changes: Changes = {}) =>
  fetch(`${base}/klaviyo/oauth/authorize`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(without({ ...authorizeParameters(changes), ...decision })),
  });

/** Returns the query of a redirect. */
export const redirected = (response: Response): URLSearchParams => new URL(response.headers.get('location') ?? '').searchParams;

export async function getCode(base: string, account?: string, changes: Changes = {}): Promise<string> {
  return redirected(await decide(base, { decision: 'allow', account }, changes)).get('code') ?? '';
}

export const postForm = (url: string, form: Changes, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { authorization: BASIC, ...headers }, body: new URLSearchParams(without(form)) });

export const exchange = (base: string, code: string, changes: Changes = {}) =>
  postForm(`${base}/klaviyo/oauth/token`, {
    grant_type: 'authorization_code',
    code,
    code_verifier: VERIFIER,
    redirect_uri: REDIRECT_URI,
    ...changes,
  });

export const refresh = (base: string, refreshToken: string, changes: Changes = {}) =>
  postForm(`${base}/klaviyo/oauth/token`, { grant_type: 'refresh_token', refresh_token: refreshToken, ...changes });

export const revoke = (base: string, token: string, hint?: string) =>
  postForm(`${base}/klaviyo/oauth/revoke`, { token, token_type_hint: hint });

/** Runs the whole flow: approve, exchange, tokens. */
export async function install(base: string, account?: string, changes: Changes = {}): Promise<Tokens> {
  const response = await exchange(base, await getCode(base, account, changes));
  return (await response.json()) as Tokens;
}

export const getAccounts = (base: string, accessToken: string, headers: Record<string, string> = {}) =>
  fetch(`${base}/klaviyo/api/accounts`, {
    headers: { authorization: `Bearer ${accessToken}`, revision: '2026-07-15', accept: 'application/vnd.api+json', ...headers },
  });
