import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from './database/Database.js';
import type { BoundedFetch } from './klaviyo/createBoundedFetch.js';

/**
 * The sandbox is served by one process and used by others, such as workers, so what they must agree on is kept with the
 * data. This is the secret of its one app, made up by whoever comes first.
 */
export async function loadSandboxSecret(database: Database): Promise<string> {
  await sql`
    insert into sandbox (client_secret) values (${randomBytes(24).toString('base64url')})
    on conflict (is_only) do nothing`.execute(database.sql());
  const { rows } = await sql<{ secret: string }>`select client_secret as secret from sandbox`.execute(database.sql());
  return (rows[0] as { secret: string }).secret;
}

/** Says where this process serves it: a URL without a slash at the end. */
export async function tellSandboxUrl(database: Database, url: string): Promise<void> {
  await sql`update sandbox set url = ${url}`.execute(database.sql());
}

/** Stands for wherever the sandbox is. It is no address, and is never asked for. */
export const SOMEWHERE = 'http://sandbox.invalid';

/** A `fetch` of what begins with SOMEWHERE: it looks up where that is, each time, since it may be served later or elsewhere. */
export function fetchFromSandbox(database: Database, fetch: BoundedFetch): BoundedFetch {
  return async (url, init) => {
    const { rows } = await sql<{ url: string | null }>`select url from sandbox`.execute(database.sql());
    const place = rows[0]?.url;
    // As `fetch` itself puts it when there is nobody.
    if (!place) throw new TypeError('No process serves the sandbox.');
    return fetch(url.replace(SOMEWHERE, place), init);
  };
}
