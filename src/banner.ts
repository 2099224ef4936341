import type { Switchboard } from './compose.js';
import type { Config } from './config.js';

/** Lists what replaces settings that are missing, the database first, so that a forgotten setting is noticed. */
export function fallbacks({ embedded, dataDir, klaviyo, sandbox }: Config): string[] {
  const parts: string[] = [];
  if (embedded) parts.push(`DATABASE_URL is not set: the built-in Postgres is used, with its data in ${dataDir}.`);
  if (sandbox) parts.push('KLAVIYO_CLIENT_ID is not set: the sandbox stands in for Klaviyo.');
  if (!sandbox && !klaviyo.app) parts.push('KLAVIYO_CLIENT_ID is not set: nobody can connect to Klaviyo here.');
  return parts;
}

/** Returns a line for each variable whose name looks like a misspelled one of ours. */
export function slips({ misspelled }: Config): string[] {
  return misspelled.map(({ given, meant }) => `${given} means nothing here. Did you mean ${meant}?`);
}

/** Returns the text that `npm start` prints: the URL, the demo keys, and the next thing to try. */
export function banner({ publicUrl, demoKeys, sandbox }: Pick<Switchboard, 'publicUrl' | 'demoKeys' | 'sandbox'>): string {
  const lines = [
    `Switchboard is ready at ${publicUrl}`,
    '',
    `  Console    ${publicUrl}`,
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
      ? 'Next: open the console. Its first screen leads from a connection to a delivered event.'
      : 'Next: npm run org -- create "Acme"   makes an organization with keys to call the API.',
  );
  return `\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}
