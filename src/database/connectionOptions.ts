import type pg from 'pg';

/**
 * How every connection of ours to Postgres is made, in a pool or alone. The driver reads the whole URL: host, user,
 * database, and its parameters such as `sslmode` and `sslrootcert` (libpq's names). A peer that is gone without a word is
 * found out in seconds, not in hours.
 */
export function connectionOptions(url: string, name: string) {
  return {
    connectionString: url,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
  } as const satisfies pg.ClientConfig;
}
