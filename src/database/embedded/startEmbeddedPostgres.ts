import { mkdir, realpath } from 'node:fs/promises';
import { databaseUrl } from './Cluster.js';
import type { EmbeddedPostgres } from './EmbeddedPostgres.js';
import { defaultSystemFolders } from './findSystemFolder.js';
import { ownServer } from './ownServer.js';
import { shareServer } from './shareServer.js';
import { type Ownership, takeOwnership } from './takeOwnership.js';

/** The database that a cluster of ours is for. */
const DATABASE = 'switchboard';

export type { EmbeddedPostgres };

export interface EmbeddedPostgresOptions {
  /** Made when missing. Its database is in it, or, where PostgreSQL's user cannot get to it, in the place it points to. */
  readonly dataDir: string;
  /** Further arguments for `postgres`, such as `['-c', 'fsync=off']`. */
  readonly flags?: readonly string[];
  readonly log?: (line: string) => void;
  /** Where to put what PostgreSQL's user could not reach in place; the first usable one is taken. */
  readonly systemFolders?: readonly string[];
}

/**
 * The PostgreSQL from npm, for running without DATABASE_URL and for tests: one server per data folder, on a free port of
 * 127.0.0.1. The first process to ask for it owns it; others share it for as long as the owner runs.
 * Errors are single lines, for people.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { flags = [], log = () => {}, systemFolders = defaultSystemFolders() } = options;
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  for (;;) {
    const ownership = await claim(dataDir);
    if (ownership) return ownServer({ dataDir, flags, log, systemFolders, ownership, database: DATABASE });
    const endpoint = await shareServer(dataDir, DATABASE);
    if (endpoint) return { url: databaseUrl(endpoint, DATABASE), adopted: true, stop: async () => {} };
    // The owner has gone: perhaps we are next.
  }
}

async function claim(dataDir: string): Promise<Ownership | undefined> {
  try {
    return await takeOwnership(dataDir);
  } catch (error) {
    throw new Error(`The data folder ${dataDir} cannot be used: ${(error as Error).message}`);
  }
}
