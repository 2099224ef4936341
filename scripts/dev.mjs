// Serves, and on every change of the sources stops the server in order, compiles, and starts it again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const run = (...args) => spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
/** Milliseconds to wait for further changes, because editors write a file in several steps. */
const SETTLES_AFTER = 200;

let server = null;
let ending = false;
/** Restarts run one after another. */
let turn = Promise.resolve();

async function restart() {
  if (ending) return;
  const [code] = await once(run('scripts/build.mjs'), 'exit');
  await stop();
  // After a failed compilation the next change is awaited.
  if (code !== 0 || ending) return;
  server = run('--enable-source-maps', 'dist/src/main.js');
}

async function stop() {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

let settling;
for (const folder of ['src', 'migrations']) {
  watch(join(root, folder), { recursive: true }, () => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      turn = turn.then(restart);
    }, SETTLES_AFTER);
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    ending = true;
    await turn;
    await stop();
    process.exit(0);
  });
}
turn = restart();
