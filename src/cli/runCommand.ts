import { pino } from 'pino';
import { fallbacks, slips } from '../banner.js';
import { type Config, readConfig } from '../config.js';
import type { Database } from '../database/Database.js';
import { migrate } from '../database/migrate.js';
import { openDatabase } from '../openDatabase.js';
import { ConfigError } from '../readEnvironment.js';

/** The command was called incorrectly. Its message is printed, and the exit code is 2. */
export class UsageError extends Error {}

/**
 * Runs a command with the migrated database of the server (in embedded mode also while the server runs), and closes the database.
 * Exit code: 0 on success, 1 on failure, 2 when it was called incorrectly.
 */
export async function runCommand(command: (database: Database, config: Config) => Promise<void>): Promise<void> {
  try {
    await using closing = new AsyncDisposableStack();
    const config = readConfig(process.env);
    // On standard error, because a program may read the command's output.
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
