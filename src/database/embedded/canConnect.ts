import type { Endpoint } from './Cluster.js';
import { withClient } from './withClient.js';

/** Whether the server lets us into that database. Throws when it refuses our password, which no waiting will change. */
export async function canConnect(endpoint: Endpoint, database: string): Promise<boolean> {
  try {
    await withClient(endpoint, database, (client) => client.query('select 1'));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') return false;
    throw new Error('The running built-in PostgreSQL refuses the password stored beside its data: was it changed?');
  }
}
