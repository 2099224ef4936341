import { migrate } from '../database/migrate.js';
import { runCommand } from './runCommand.js';

// Opening the database for a command has already migrated it. This call shows that nothing is left to do.
await runCommand(async (database) => {
  await migrate(database);
  const applied = await database.orm.migrator.getExecuted();
  console.log(`The database is up to date: ${applied.length} migrations, the last one ${applied.at(-1)?.name}.`);
});
