import { readFile, writeFile } from 'node:fs/promises';
import { printSchema } from 'graphql';
import { pino } from 'pino';
import { connectionTypes } from '../compose.js';
import { buildSchema } from '../graphql/buildSchema.js';

/** Writes schema.graphql. With `--check` it fails when the file differs from the generated schema. */
const FILE = 'schema.graphql';
const parts = connectionTypes.map(({ graphql }) => graphql);
const sdl = `${printSchema(buildSchema(pino({ level: 'silent' }), parts))}\n`;
if (!process.argv.includes('--check')) await writeFile(FILE, sdl);
else if ((await readFile(FILE, 'utf8').catch(() => '')) !== sdl) {
  console.error(`${FILE} is stale: run "npm run schema" and commit it.`);
  process.exitCode = 1;
}
