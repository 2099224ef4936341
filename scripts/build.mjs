// Compiles src and migrations to dist, and builds the console, unless dist is newer than all of them, so that a start does not
// wait needlessly.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { buildConsole } from './buildConsole.mjs';

// On most platforms this Node comes from npm packages. On the others npm has none, so the installed Node is used.
if (Number(process.versions.node.split('.')[0]) < 24) {
  const platform = `${process.platform}-${process.arch}`;
  console.error(
    `Switchboard needs Node 24, and npm has none of that version for ${platform}: install it there, it has ${process.version}.`,
  );
  process.exit(1);
}

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.built');
const consoleSources = join(root, 'src', 'console');
const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newest(path) {
  const own = modified(path);
  if (path === consoleSources) return 0;
  if (!statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const sources = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((name) =>
  join(root, name),
);
if (modified(stamp) <= Math.max(...sources.map(newest))) {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  // `npm run check` checks types. Here they would only cost time.
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, '');
}
await buildConsole();
