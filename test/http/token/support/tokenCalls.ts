import type { TestSwitchboard } from '../../../support/startSwitchboard.js';

export const basic = (publicKey: string, secretKey: string) =>
  `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;

/** Posts a form. Returns the response with its JSON body, if it has one. */
export async function postForm(url: string, form: object | string, headers: Record<string, string>) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: typeof form === 'string' ? form : new URLSearchParams(form as Record<string, string>).toString(),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

/** Sends a GraphQL query with an access token. */
export async function askWithToken({ publicUrl }: TestSwitchboard, token: string, query = '{ organization { id name } }') {
  const response = await fetch(`${publicUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}
