import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './Cluster.js';
import type { NativePackage } from './findNativePackage.js';

/** Refuses data of another major version, which PostgreSQL could not read. */
export async function checkVersion(cluster: Cluster, native: NativePackage): Promise<void> {
  const found = (await readFile(join(cluster.data, 'PG_VERSION'), 'utf8')).trim();
  if (found === native.major) return;
  throw new Error(
    `The database in ${cluster.home} was made by PostgreSQL ${found}, and the built-in one is ${native.major}, which cannot read it. ` +
      `Copy it over with PostgreSQL ${found}'s pg_dump, or serve it with PostgreSQL ${found} and set DATABASE_URL, ` +
      `or move ${cluster.home} away to start with an empty database.`,
  );
}
