import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const FILES = [
  ['connect.js', 'text/javascript; charset=utf-8'],
  ['connect.d.ts', 'application/typescript; charset=utf-8'],
  ['console.js', 'text/javascript; charset=utf-8'],
  ['console.d.ts', 'application/typescript; charset=utf-8'],
] as const;

/**
 * Adds `GET /connect.js`, the module with which a page connects an account, `GET /console.js`, the module with which a page
 * shows the console, and the types of both. Every site may load them, since they contain only our code. Browsers load them again
 * after five minutes, so that pages get corrected versions.
 */
export function scriptRoutes(app: FastifyInstance): void {
  const folder = join(dirname(findPackageJSON('.', import.meta.url) as string), 'public');
  for (const [name, type] of FILES) {
    const text = readFileSync(join(folder, name), 'utf8');
    app.get(`/${name}`, (_request, reply) =>
      reply
        .headers({
          'access-control-allow-origin': '*',
          'cross-origin-resource-policy': 'cross-origin',
          'cache-control': 'public, max-age=300',
        })
        .type(type)
        .send(text),
    );
  }
}
