import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { buildConsole } from '../../scripts/buildConsole.mjs';
import { Database } from '../../src/database/Database.js';
import { startEmbeddedPostgres } from '../../src/database/embedded/startEmbeddedPostgres.js';
import { migrate } from '../../src/database/migrate.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server on which the tests may create databases. */
    postgresUrl: string;
    /** A migrated, empty database to copy. */
    templateDatabase: string;
    /** A folder that is deleted after the run. */
    scratchFolder: string;
  }
}

/**
 * Starts one real Postgres for the whole run: DATABASE_URL's server, or the embedded one without durability. A database is
 * migrated once and copied for every test file.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildConsole();
  const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-test-'));
  // As root, Postgres runs as another user, who must be able to read the folder. Then the data stays in it and is deleted
  // with it.
  await chmod(dataDir, 0o755);
  const embedded = process.env.DATABASE_URL
    ? null
    : await startEmbeddedPostgres({
        dataDir,
        flags: ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off', '-c', 'max_connections=400'],
      });
  const url = process.env.DATABASE_URL ?? (embedded?.url as string);
  const templateDatabase = `switchboard_template_${process.pid}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${templateDatabase}`);
  const templateUrl = new URL(url);
  templateUrl.pathname = templateDatabase;
  const database = await Database.open({ url: templateUrl.href });
  await migrate(database);
  await database.close();
  project.provide('postgresUrl', url);
  project.provide('templateDatabase', templateDatabase);
  project.provide('scratchFolder', dataDir);

  return async () => {
    await admin.query(`drop database if exists ${templateDatabase} with (force)`);
    await admin.end();
    await embedded?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}
