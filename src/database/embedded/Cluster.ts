import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerUser } from './chooseServerUser.js';

/**
 * A PostgreSQL cluster of ours: one folder, mode 700, that belongs to the server's user and holds the data and the
 * superuser's password, so that one rename brings both or neither.
 */
export interface Cluster {
  readonly home: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  readonly passwordFile: string;
  /** Whom the server runs as; undefined: as ourselves. */
  readonly user: ServerUser | undefined;
}

export function clusterAt(home: string, user: ServerUser | undefined): Cluster {
  return { home, data: join(home, 'data'), passwordFile: join(home, 'password'), user };
}

export interface Endpoint {
  readonly port: number;
  readonly password: string;
}

export async function readPassword(cluster: Cluster): Promise<string> {
  try {
    return (await readFile(cluster.passwordFile, 'utf8')).trim();
  } catch (error) {
    throw new Error(`The password of the built-in PostgreSQL cannot be read: ${(error as Error).message}`);
  }
}

/** Passwords of ours need no escaping. */
export function databaseUrl({ port, password }: Endpoint, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
}
