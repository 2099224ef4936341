import pg from 'pg';
import { databaseUrl, type Endpoint } from './Cluster.js';

/** Runs `work` on a connection of its own. */
export async function withClient<T>(endpoint: Endpoint, database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const connectionString = databaseUrl(endpoint, database);
  // `ssl` is given so that a PGSSLMODE meant for some other server is not obeyed.
  const client = new pg.Client({ connectionString, ssl: false, connectionTimeoutMillis: 5_000 });
  // A server that goes away in the middle is reported by the query that failed; unheard, the event would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
