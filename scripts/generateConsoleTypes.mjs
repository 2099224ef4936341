// Writes the types of the console's operations (src/console/graphql) from schema.graphql; with --check, fails when they are stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { generate } from '@graphql-codegen/cli';

const root = join(import.meta.dirname, '..');
const files = await generate(
  {
    cwd: root,
    schema: join(root, 'schema.graphql'),
    documents: [join(root, 'src/console/**/*.{ts,tsx}'), `!${join(root, 'src/console/graphql/**')}`],
    silent: true,
    errorsOnly: true,
    generates: {
      [`${join(root, 'src/console/graphql')}/`]: {
        preset: 'client',
        presetConfig: { fragmentMasking: false },
        config: {
          strictScalars: true,
          useTypeImports: true,
          scalars: {
            DateTime: 'string',
            EmailAddress: 'string',
            JSONObject: 'Record<string, unknown>',
            PhoneNumber: 'string',
            URL: 'string',
          },
        },
      },
    },
  },
  false,
);

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};
const stale = files.filter(({ filename, content }) => read(filename) !== content);
if (process.argv.includes('--check')) {
  for (const { filename } of stale) console.error(`${relative(root, filename)} is stale: run npm run schema`);
  process.exit(stale.length > 0 ? 1 : 0);
}
for (const { filename, content } of stale) {
  mkdirSync(dirname(filename), { recursive: true });
  writeFileSync(filename, content);
}
