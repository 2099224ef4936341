import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const execute = promisify(execFile);

/** A frontend's project, made of the examples in docs/clients.md with a started server's address. */
export interface Frontend {
  readonly folder: string;
  /** Returns the exports of a module of the project. */
  // biome-ignore lint/suspicious/noExplicitAny: each example exports something else
  load(file: string): Promise<any>;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  /** Runs a program of a package, found from `from`, in the project's folder. Returns its output. Throws when it fails. */
  run(program: string, args: readonly string[], from?: string): Promise<string>;
  remove(): Promise<void>;
}

export async function createFrontend(publicUrl: string): Promise<Frontend> {
  const folder = await mkdtemp(join(HERE, '.frontend-'));
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text.replaceAll('//localhost:4000', `//${new URL(publicUrl).host}`));
  };
  const examples = await readFile(join(ROOT, 'docs/clients.md'), 'utf8');
  for (const [, file, text] of examples.matchAll(/^```(?:ts|json) (\S+)\n(.*?)^```$/gms))
    await write(file as string, text as string);
  await write('package.json', '{ "type": "module" }');
  return {
    folder,
    read: (file) => readFile(join(folder, file), 'utf8'),
    write,
    load: (file) => import(/* @vite-ignore */ join(folder, file)),
    async run(program, args, from = ROOT) {
      const { stdout } = await execute(process.execPath, [join(from, 'node_modules', program), ...args], { cwd: folder }).catch(
        (failure: { stdout: string; stderr: string }) => {
          throw new Error(`${program} failed: ${failure.stdout}${failure.stderr}`);
        },
      );
      return stdout;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
