import { type Cluster, databaseUrl, readPassword } from './Cluster.js';
import { checkVersion } from './checkVersion.js';
import type { EmbeddedPostgres } from './EmbeddedPostgres.js';
import { ensureDatabase } from './ensureDatabase.js';
import { findCluster } from './findCluster.js';
import { findNativePackage } from './findNativePackage.js';
import { initializeCluster } from './initializeCluster.js';
import { placeCluster } from './placeCluster.js';
import { type Binaries, prepareBinaries } from './prepareBinaries.js';
import { type StartedServer, startServer } from './startServer.js';
import { stopServer } from './stopServer.js';
import type { Ownership } from './takeOwnership.js';

interface Owning {
  readonly dataDir: string;
  readonly flags: readonly string[];
  readonly log: (line: string) => void;
  readonly systemFolders: readonly string[];
  readonly ownership: Ownership;
  readonly database: string;
}

/** Brings up the server of a data folder that we own; gives the folder up when that fails, and when the server ends. */
export async function ownServer(owning: Owning): Promise<EmbeddedPostgres> {
  const { ownership, log, database } = owning;
  try {
    const { cluster, binaries } = await prepare(owning);
    const server = await startServer({ ...owning, cluster, postgres: binaries.postgres });
    const stop = makeStop({ server, cluster, binaries, ownership, log });
    const endpoint = { port: server.port, password: await readPassword(cluster) };
    try {
      await ensureDatabase(endpoint, database);
    } catch (error) {
      await stop();
      throw error;
    }
    if (server.adopted) log(`Adopted the PostgreSQL that an earlier process left running (process ${server.pid}).`);
    return { url: databaseUrl(endpoint, database), adopted: server.adopted, stop };
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

async function prepare(owning: Owning): Promise<{ cluster: Cluster; binaries: Binaries }> {
  const native = findNativePackage();
  const existing = await findCluster(owning.dataDir);
  if (existing) await checkVersion(existing, native);
  const cluster = existing ?? (await placeCluster(owning));
  const binaries = await prepareBinaries(native, cluster.user, owning.systemFolders);
  if (!existing) {
    await initializeCluster({ cluster, initdb: binaries.initdb, durable: !owning.flags.includes('fsync=off') });
  }
  return { cluster, binaries };
}

interface Stopping {
  readonly server: StartedServer;
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly ownership: Ownership;
  readonly log: (line: string) => void;
}

function makeStop({ server, cluster, binaries, ownership, log }: Stopping): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  void server.ended.then((how) => {
    if (stopped) return;
    log(`PostgreSQL (process ${server.pid}) ended unexpectedly, by ${how}. Its log ends: ${server.logTail()}`);
    // So that the next start, here or elsewhere, does not wait for a server that is gone.
    stopped = ownership.release();
  });
  return () => {
    stopped ??= stopServer({ cluster, pid: server.pid, log, pgCtl: binaries.pgCtl }).then(() => ownership.release());
    return stopped;
  };
}
