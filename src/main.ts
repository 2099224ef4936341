import 'reflect-metadata';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { banner, fallbacks, slips } from './banner.js';
import { readConfig } from './config.js';
import { databaseTrouble } from './database/databaseTrouble.js';
import { ConfigError } from './readEnvironment.js';

/**
 * Milliseconds after which a process that cannot stop in order is ended. Finishing an exchange takes up to 30 s, the engine 12 s
 * and chores 8 s; the rest waits for a Postgres that does not respond.
 */
const LONGEST_STOP_MS = 60_000;

/** Starts a process, and stops it in order on SIGINT or SIGTERM. A second signal stops it at once. */
async function main(): Promise<void> {
  // The settings are checked first, so that a wrong one is reported before the rest is loaded.
  const config = readConfig(process.env);
  const standIns = fallbacks(config);
  if (standIns.length > 0) console.log(standIns.join(' '));
  for (const slip of slips(config)) console.error(slip);
  enableCompileCache(join(import.meta.dirname, '..', '.compile-cache'));
  const { compose } = await import('./compose.js');
  const switchboard = await compose(config);
  console.log(banner(switchboard));
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => {
      console.error(
        `Switchboard could not stop in order within ${LONGEST_STOP_MS / 1000} s and ends now: what it was at is left to its leases.`,
      );
      process.exit(1);
    }, LONGEST_STOP_MS);
    try {
      await switchboard.close();
      process.exit(0);
    } catch (error) {
      console.error(`Switchboard could not stop in order: ${(error as Error).stack ?? error}`);
      process.exit(1);
    }
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  stopWithNpm(stop);
}

/** `npm start` does not forward every signal. When npm is gone, this process could not be stopped any more. */
function stopWithNpm(stop: () => Promise<void>): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    void stop();
  }, 500);
  watch.unref();
}

main().catch((error: NodeJS.ErrnoException) => {
  console.error(explain(error));
  process.exit(1);
});

function explain(error: NodeJS.ErrnoException): string {
  if (error instanceof ConfigError) return error.message;
  if (error.code === 'EADDRINUSE')
    return `Port ${(error as { port?: number }).port} is taken: stop what listens there, or set PORT to another.`;
  const refusal = whyDatabaseRefused(error);
  if (refusal) return `The database can not be used: ${refusal}. See DATABASE_URL, and DATABASE_DIRECT_URL if that is set.`;
  return `Switchboard could not start: ${error.stack ?? error}`;
}

/** Returns the message of Postgres, or of the network or TLS on the way to it; null for other errors. */
function whyDatabaseRefused(error: Error & { code?: unknown }): string | null {
  // Classes 28 (authorization) and 3D (no such database), and TLS errors about the certificate.
  const refused = /^(28|3D)\w{3}$|^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/.test(String(error.code));
  if (!refused && !databaseTrouble(error) && !/does not support SSL/.test(error.message)) return null;
  // For a name with several addresses, each address has failed.
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return (first?.message || String(error.code)).replaceAll(/\s+/g, ' ').replace(/\.$/, '');
}
