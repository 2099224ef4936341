import type { Endpoint } from './Cluster.js';
import { withClient } from './withClient.js';

/** Makes the database when it is missing. Only the owner of the data folder does this, so nobody else can be doing it. */
export async function ensureDatabase(endpoint: Endpoint, database: string): Promise<void> {
  await withClient(endpoint, 'postgres', async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}
