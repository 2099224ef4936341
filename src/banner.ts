import type { Switchboard } from './compose.js';

/** What `npm start` prints: where it is, who you are, and the next thing to try. */
export function banner({ publicUrl, demoKeys, sandbox }: Pick<Switchboard, 'publicUrl' | 'demoKeys' | 'sandbox'>): string {
  const lines = [
    `Switchboard is ready at ${publicUrl}`,
    '',
    `  GraphiQL   ${publicUrl}/graphiql`,
    `  GraphQL    ${publicUrl}/graphql`,
  ];
  if (sandbox) {
    lines.push(`  Sandbox    ${publicUrl}/sandbox/klaviyo (a local Klaviyo)   ${publicUrl}/sandbox/inbox (a webhook receiver)`);
  }
  if (demoKeys) lines.push('', `  Public key ${demoKeys.publicKey}`, `  Secret key ${demoKeys.secretKey}`);
  lines.push(
    '',
    demoKeys
      ? 'Next: open GraphiQL, run "Create a Klaviyo connection", then "Start its authorization", and open the URL that comes back.'
      : 'Next: npm run org -- create "Acme"   makes an organization with keys to call the API.',
  );
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}
