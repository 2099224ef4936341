import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from './database/Database.js';
import type { BoundedFetch } from './klaviyo/createBoundedFetch.js';

/**
 * Loads the secret of the sandbox's own app. The first process generates it. It is stored in the database because one process
 * serves the sandbox and others, such as workers, use it.
 */
export async function loadSandboxSecret(database: Database): Promise<string> {
  await sql`
    insert into sandbox (client_secret) values (${randomBytes(24).toString('base64url')})
    on conflict (is_only) do nothing`.execute(database.sql());
  const { rows } = await sql<{ secret: string }>`select client_secret as secret from sandbox`.execute(database.sql());
  return (rows[0] as { secret: string }).secret;
}

/** Stores the URL at which this process serves the sandbox, without a slash at the end. */
export async function tellSandboxUrl(database: Database, url: string): Promise<void> {
  await sql`update sandbox set url = ${url}`.execute(database.sql());
}

/** Stands for the sandbox's current URL. It is not an address, and no request goes to it. */
export const SOMEWHERE = 'http://sandbox.invalid';

/**
 * Wraps a `fetch`: in URLs that begin with SOMEWHERE it inserts the sandbox's URL. It looks that up for each request, because the
 * sandbox may be served later or elsewhere.
 */
export function fetchFromSandbox(database: Database, fetch: BoundedFetch): BoundedFetch {
  return async (url, init) => {
    const { rows } = await sql<{ url: string | null }>`select url from sandbox`.execute(database.sql());
    const place = rows[0]?.url;
    // The same kind of error as `fetch` throws when a server cannot be reached.
    if (!place) throw new TypeError('No process serves the sandbox.');
    return fetch(url.replace(SOMEWHERE, place), init);
  };
}
