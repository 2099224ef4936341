import { pino } from 'pino';
import { fallbacks, slips } from '../banner.js';
import { type Config, readConfig } from '../config.js';
import type { Database } from '../database/Database.js';
import { migrate } from '../database/migrate.js';
import { openDatabase } from '../openDatabase.js';
import { ConfigError } from '../readEnvironment.js';

/** A mistake in how a command was called: its message is printed, and the exit code is 2. */
export class UsageError extends Error {}

/**
 * Runs a command of the command line with the migrated database that the server uses (in embedded mode also while the
 * server runs), and closes it. Exit code: 0, 1 when it failed, 2 when it was called wrongly.
 */
export async function runCommand(command: (database: Database, config: Config) => Promise<void>): Promise<void> {
  try {
    await using closing = new AsyncDisposableStack();
    const config = readConfig(process.env);
    // Not among what the command answers, which may be read by a program.
    for (const slip of slips(config)) console.error(slip);
    if (config.embedded) console.error(fallbacks(config)[0]);
    const { database } = await openDatabase(config, { log: pino({ level: 'silent' }), closing });
    await migrate(database);
    await command(database, config);
  } catch (error) {
    const explained = error instanceof UsageError || error instanceof ConfigError;
    console.error(explained ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
