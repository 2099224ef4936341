import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bootScript } from './bootScript.js';
import { GraphiqlAsset } from './GraphiqlAsset.js';

export interface GraphiqlAssets {
  /** In the order in which they must run. */
  readonly scripts: readonly GraphiqlAsset[];
  readonly styles: readonly GraphiqlAsset[];
}

/** Reads GraphiQL and React as browsers take them, out of the installed packages: nothing is fetched from elsewhere. */
export async function loadGraphiqlAssets(): Promise<GraphiqlAssets> {
  const [react, reactDom, editor, style] = await Promise.all([
    readPackageFile('react', 'umd/react.production.min.js'),
    readPackageFile('react-dom', 'umd/react-dom.production.min.js'),
    readPackageFile('graphiql', 'graphiql.min.js'),
    readPackageFile('graphiql', 'graphiql.min.css'),
  ]);
  return {
    scripts: [
      new GraphiqlAsset('react', 'js', react),
      new GraphiqlAsset('react-dom', 'js', reactDom),
      new GraphiqlAsset('graphiql', 'js', editor),
      new GraphiqlAsset('boot', 'js', Buffer.from(bootScript)),
    ],
    styles: [new GraphiqlAsset('graphiql', 'css', style), new GraphiqlAsset('page', 'css', Buffer.from(PAGE_STYLE))],
  };
}

const PAGE_STYLE = 'html, body, #graphiql { height: 100%; margin: 0; overflow: hidden; }\n#graphiql noscript { padding: 1em; }\n';

const { resolve } = createRequire(import.meta.url);

/** Via package.json, the one path that all of them export. */
function readPackageFile(name: string, path: string): Promise<Buffer> {
  return readFile(join(dirname(resolve(`${name}/package.json`)), path));
}
