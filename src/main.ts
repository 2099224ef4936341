import 'reflect-metadata';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { banner, fallbacks, slips } from './banner.js';
import { readConfig } from './config.js';
import { ConfigError } from './readEnvironment.js';

/** Starts a process, and stops it in order on SIGINT or SIGTERM; a second signal stops it at once. */
async function main(): Promise<void> {
  // A wrong setting is told at once; everything else is loaded after, compiled once for all starts to come.
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
    await switchboard.close();
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  stopWithNpm(stop);
}

/** `npm start` does not hand on every signal: when npm is gone, nobody could stop us any more. */
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
  return `Switchboard could not start: ${error.stack ?? error}`;
}
