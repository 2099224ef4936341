import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoClient, expectThat } from './DemoClient.js';

/** Creates a Klaviyo connection and links it as a merchant would: consent page, Allow, callback, ACTIVE. */
export async function authorizeKlaviyo(client: DemoClient): Promise<string> {
  client.step('Create a Klaviyo connection');
  const { connection } = await client.call(
    'mutation { createConnection(input: { name: "Demo shop", configuration: { klaviyo: {} } }) { connection { id status } userErrors { code message } } }',
  );
  client.say(`Connection ${connection.id} is ${connection.status}.`);
  expectThat(connection.status === 'PENDING_AUTHORIZATION', 'a new connection to wait for its authorization');

  client.step('Start its authorization');
  const { authorizationUrl } = await client.call(
    'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id }) { authorizationUrl userErrors { code message } } }',
    { id: connection.id },
  );
  const url = new URL(authorizationUrl);
  client.say(`The browser goes to ${url.origin}${url.pathname}`);
  client.say(`with ${[...url.searchParams.keys()].join(', ')}.`);

  client.step('The merchant reads the consent page and chooses Allow');
  const page = await fetch(url);
  expectThat(page.status === 200, `a consent page, not ${page.status}`);
  const form = new URLSearchParams(url.search);
  form.set('decision', 'allow');
  const decision = await fetch(`${url.origin}${url.pathname}`, { method: 'POST', body: form, redirect: 'manual' });
  const callback = new URL(decision.headers.get('location') ?? '', url);
  client.say(
    `Klaviyo sends the browser back to ${callback.origin}${callback.pathname} with ${[...callback.searchParams.keys()].join(' and ')}.`,
  );

  client.step('The callback exchanges the code and shows a page');
  let outcome = await fetch(callback);
  // The page reloads itself while the provider is slow to respond.
  for (; outcome.status === 202; outcome = await fetch(callback)) await sleep(1_000);
  const title = /<h1>(.*?)<\/h1>/.exec(await outcome.text())?.[1];
  client.say(`“${title}” (HTTP ${outcome.status})`);
  expectThat(outcome.status === 200, `the callback to answer 200, not ${outcome.status}`);

  client.step('Look at the connection');
  const seen = await client.call(
    `query ($id: ID!) { connection(id: $id) { status authorization { status }
       account { id name timezone } grant { grantedScopes accessTokenExpiresAt } } }`,
    { id: connection.id },
  );
  const { account } = seen;
  const { grantedScopes, accessTokenExpiresAt } = seen.grant;
  client.say(`${seen.status}, account “${account.name}” (${account.id}, ${account.timezone})`);
  client.say(`scopes ${grantedScopes.join(' ')}; the access token is good until ${accessTokenExpiresAt}`);
  expectThat(seen.status === 'ACTIVE' && seen.authorization.status === 'COMPLETED', 'the connection to be ACTIVE');
  return connection.id;
}
