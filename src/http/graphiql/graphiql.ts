import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { connectSources, isLocalBrowser } from '../browsers.js';
import { Html, html } from '../pages.js';

/** Adds `GET /graphiql`: the editor, loaded from our own origin only, so that it works without another network. */
export async function graphiql(app: FastifyInstance, options: GraphiqlOptions): Promise<void> {
  const assets = await loadGraphiqlAssets();
  const pages = {
    local: graphiqlPage(assets, options),
    elsewhere: graphiqlPage(assets, { ...options, defaultHeaders: undefined }),
  };

  const sendPage = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    reply
      .headers({
        'content-security-policy': graphiqlPolicy(request.headers.host),
        // The page may contain credentials.
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex',
      })
      .type('text/html; charset=utf-8')
      .send(isLocalBrowser(request, options.publicUrl) ? pages.local : pages.elsewhere);
  app.get('/graphiql', sendPage);
  app.get('/graphiql/', sendPage);

  for (const asset of [...assets.scripts, ...assets.styles]) {
    app.get(asset.path, (request, reply) => sendAsset(asset, request, reply));
  }
}

async function sendAsset(asset: GraphiqlAsset, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  reply.headers({
    etag: asset.etag,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
  });
  // Weak comparison (RFC 9110 13.1.2), because a proxy may have marked the tag as weak.
  const known = request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === asset.etag);
  if (known) return reply.code(304).send();
  reply.type(asset.contentType);
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(request.headers['accept-encoding'] ?? '')) return reply.send(asset.content);
  return reply.header('content-encoding', 'gzip').send(await asset.gzipped());
}

export interface GraphiqlOptions {
  /** The URL at which browsers reach this server. */
  readonly publicUrl: string;
  /**
   * Headers that the headers editor is filled with. Whoever gets the page can read them, so they are set in embedded mode
   * only and shown only to browsers on this machine.
   */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Opened as tabs, in this order, by a browser that has no tabs of its own yet. */
  readonly examples: readonly GraphiqlExample[];
}

export interface GraphiqlExample {
  /** The comment above the query. The tab's title is the operation's name. */
  readonly name: string;
  readonly query: string;
  /** JSON. */
  readonly variables?: string;
}

/** A file of the page, kept in memory. Its path contains a hash of its content, so browsers may cache it for ever. */
class GraphiqlAsset {
  readonly path: string;
  readonly etag: string;
  #compressed: Promise<Buffer> | undefined;

  constructor(
    name: string,
    readonly extension: 'js' | 'css',
    readonly content: Buffer,
  ) {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    this.path = `/graphiql/assets/${name}.${hash}.${extension}`;
    this.etag = `"${hash}"`;
  }

  get contentType(): string {
    return this.extension === 'js' ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8';
  }

  /**
   * Returns the compressed content. It is compressed at the first request, because the editor is a megabyte large and most
   * processes never serve it.
   */
  gzipped(): Promise<Buffer> {
    this.#compressed ??= promisify(gzip)(this.content);
    return this.#compressed;
  }
}

interface GraphiqlAssets {
  /** The scripts in the order in which they must run. */
  readonly scripts: readonly GraphiqlAsset[];
  readonly styles: readonly GraphiqlAsset[];
}

/** Reads the browser builds of GraphiQL and React from the installed packages. Nothing is loaded from the network. */
async function loadGraphiqlAssets(): Promise<GraphiqlAssets> {
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

/** Reads a file of a package. The package is found by its package.json, the one path that all of them export. */
function readPackageFile(name: string, path: string): Promise<Buffer> {
  return readFile(join(dirname(resolve(`${name}/package.json`)), path));
}

/** Returns the page. Its configuration is data, not script. `<` is escaped so that no text in it can end the element. */
function graphiqlPage({ scripts, styles }: GraphiqlAssets, { defaultHeaders, examples }: GraphiqlOptions): string {
  const config = new Html(JSON.stringify({ defaultHeaders, examples }).replaceAll('<', '\\u003c'));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Switchboard · GraphiQL</title>
<link rel="icon" href="data:,">
${new Html(styles.map(({ path }) => html`<link rel="stylesheet" href="${path}">`.markup).join('\n'))}
</head>
<body>
<div id="graphiql"><noscript>GraphiQL needs JavaScript. The schema is at <a href="/schema.graphql">/schema.graphql</a>.</noscript></div>
<script type="application/json" id="graphiql-config">${config}</script>
${new Html(scripts.map(({ path }) => html`<script src="${path}"></script>`.markup).join('\n'))}
</body>
</html>
`.markup;
}

/**
 * Returns the Content-Security-Policy of the GraphiQL page, which allows our own origin only.
 *
 * @param host the request's Host header. In some browsers 'self' does not include the websocket of the same host.
 */
function graphiqlPolicy(host: string | undefined): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    // The code editor and the dialogs set styles by script.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    connectSources(host),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Starts GraphiQL in the browser. It is served as a file of its own because the page's policy allows no inline script.
 *
 * It prevents five problems:
 * - The storage has its own name. Otherwise GraphiQL of other projects on localhost would show its tabs here.
 * - Headers are credentials and are never stored, because stored ones would outlive the database that they belong to.
 *   GraphiQL can leave them out of its tabs, but not out of its history.
 * - GraphiQL loses the variables of the first of its default tabs, so `variables` sets them on the first visit.
 * - A link may bring an operation in the address' fragment (`#query=…&variables=…`), which browsers send to no server. It is
 *   shown in its own tab and never executed by itself.
 * - For a moment after a change of tabs, GraphiQL still uses the previous tab's operation. A quick click would fail with
 *   "Unknown operation", or send a subscription over HTTP. `fetchWhatIsShown` prevents that.
 */
const bootScript = `'use strict';
(() => {
  const config = JSON.parse(document.getElementById('graphiql-config').textContent);
  const defaultHeaders = config.defaultHeaders && JSON.stringify(config.defaultHeaders, null, 2);
  const local = GraphiQL.createLocalStorage({ namespace: 'switchboard' });
  const withHeaders = (headers, key, text) =>
    text && /:(queries|favorites)$/.test(key)
      ? JSON.stringify(JSON.parse(text, (name, value) => (name === 'headers' ? headers : value)))
      : text;
  const storage = Object.assign(Object.create(local), {
    getItem: (key) => withHeaders(defaultHeaders ?? '', key, local.getItem(key)),
    setItem: (key, text) => local.setItem(key, withHeaders('', key, text)),
  });
  const firstVisit = !storage.getItem('graphiql:tabState');
  const hash = new URLSearchParams(location.hash.slice(1));
  const linked = hash.has('query') && { query: hash.get('query'), variables: hash.get('variables') ?? undefined };
  if (linked) history.replaceState(null, '', location.pathname + location.search);
  const endpoint = new URL('/graphql', location.href);
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';
  const examples = config.examples.map(({ name, query, variables }) => ({ query: '# ' + name + '\\n' + query, variables }));
  const tabs = linked ? [linked, ...examples] : examples;
  const fetcher = GraphiQL.createFetcher({ url: endpoint.href, subscriptionUrl: socket.href });
  const fetchWhatIsShown = (params, options) => {
    let documentAST;
    try {
      documentAST = GraphiQL.GraphQL.parse(params.query);
    } catch {
      return fetcher(params, options); // The server reports what is wrong with it.
    }
    const names = documentAST.definitions.filter(({ kind }) => kind === 'OperationDefinition').map(({ name }) => name?.value);
    const operationName = names.includes(params.operationName) || names.length > 1 ? params.operationName : names[0];
    return fetcher({ ...params, operationName }, { ...options, documentAST });
  };
  const properties = {
    fetcher: fetchWhatIsShown,
    storage,
    shouldPersistHeaders: false,
    inputValueDeprecation: true,
    defaultEditorToolsVisibility: tabs.some(({ variables }) => variables) ? 'variables' : true,
    defaultHeaders,
    defaultTabs: tabs.length > 0 ? tabs : undefined,
    variables: (linked || firstVisit) && tabs.length > 0 ? tabs[0].variables : undefined,
    ...(linked && !firstVisit ? { query: linked.query, headers: defaultHeaders } : {}),
  };
  const logo = React.createElement(GraphiQL.Logo, null, 'Switchboard');
  ReactDOM.createRoot(document.getElementById('graphiql')).render(React.createElement(GraphiQL, properties, logo));
})();
`;
