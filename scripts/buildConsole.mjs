// Builds the console (src/console) to dist/console, unless that is newer than all of its sources. Every file is also stored
// compressed, so that the server compresses nothing.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const outDir = join(root, 'dist', 'console');
const stamp = join(outDir, '.built');
const SOURCES = ['src/console', 'public/tokens.css', 'scripts/buildConsole.mjs', 'package-lock.json'];

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function newest(path) {
  const own = modified(path);
  if (!statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => newest(join(path, name))));
}

export async function buildConsole() {
  if (modified(stamp) > Math.max(...SOURCES.map((name) => newest(join(root, name))))) return;
  // Loaded only when needed, since loading it takes longer than a start.
  const [{ build }, { default: react }] = await Promise.all([import('vite'), import('@vitejs/plugin-react')]);
  rmSync(stamp, { force: true });
  // Vitest says `test`, with which React would be built for development.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  await build({
    configFile: false,
    root: join(root, 'src', 'console'),
    base: '/console/',
    logLevel: 'warn',
    plugins: [react()],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 700,
    },
  });
  if (NODE_ENV === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = NODE_ENV;
  for (const name of readdirSync(join(outDir, 'assets'))) compress(join(outDir, 'assets', name));
  writeFileSync(stamp, '');
}

function compress(path) {
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
}
