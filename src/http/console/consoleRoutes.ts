import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkSession } from '../../access/authenticate.js';
import type { AccessDependencies } from '../../access/limits.js';
import { SwitchboardError } from '../../domain/errors.js';
import { connectSources, isLocalBrowser } from '../browsers.js';
import { callerAddress } from '../callerAddress.js';

export interface ConsoleOptions {
  /** Where browsers reach this server. */
  readonly publicUrl: string;
  /** Filled in for browsers on this machine, and thereby readable for them: for embedded mode alone. */
  readonly defaultKeys: { readonly publicKey: string; readonly secretKey: string } | null;
  /** URL of a webhook receiver for trying out; null: there is none. */
  readonly inboxUrl: string | null;
}

/**
 * The console, built into `dist/console`: the page at `/` and at every address below `/console`, where its own router goes on,
 * its assets, whose names hold a hash of their content, and the page for `<switchboard-console>`, which pages of its session's
 * origin alone may put into a frame. Without a build, `/` leads to GraphiQL.
 */
export function consoleRoutes(app: FastifyInstance, dependencies: AccessDependencies, options: ConsoleOptions): void {
  const folder = join(dirname(findPackageJSON('.', import.meta.url) as string), 'dist', 'console');
  const page = join(folder, 'index.html');
  if (!existsSync(page)) {
    app.get('/', (_request, reply) => reply.redirect('/graphiql'));
    return;
  }
  const markup = readFileSync(page, 'utf8');
  const sendPage = (request: FastifyRequest, reply: FastifyReply) => sendConsole(markup, options, request, reply);
  for (const path of ['/', '/console', '/console/*']) app.get(path, sendPage);
  app.get<{ Params: { token: string } }>('/console/embedded/:token', async (request, reply) =>
    sendConsole(
      markup,
      options,
      request,
      reply,
      // The page finds its token in the address as it was sent. Another spelling of it is no frame.
      EMBEDDED.test(request.raw.url ?? '') ? await originOf(dependencies, request.params.token, request) : null,
    ),
  );
  for (const asset of readAssets(join(folder, 'assets'))) {
    app.get(`/console/assets/${asset.name}`, (request, reply) => sendAsset(asset, request, reply));
  }
  app.get('/console/assets/*', (_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send('Not found\n'));
}

/** The address that `<switchboard-console>` opens. */
const EMBEDDED = /^\/console\/embedded\/ses_[\w-]+(\?|$)/;

/**
 * Returns the origin whose pages a session is for, also once it is over, so that the frame can say so; null when it names none,
 * and for a token of no session.
 */
async function originOf(dependencies: AccessDependencies, token: string, request: FastifyRequest): Promise<string | null> {
  try {
    return (await checkSession(dependencies, token, callerAddress(request))).session.origin;
  } catch (error) {
    if (!(error instanceof SwitchboardError)) throw error;
    return error.facts.readableBy ?? null;
  }
}

/** The page may hold credentials, so nobody stores it; its address may hold a token, so nobody is told it. */
function sendConsole(
  markup: string,
  options: ConsoleOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  embeddedBy: string | null = null,
): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  const { publicUrl, defaultKeys, inboxUrl } = options;
  const settings = { inboxUrl, defaultKeys: !embeddedBy && isLocalBrowser(request, publicUrl) ? defaultKeys : null };
  // `<` is escaped so that no text in it can end the element.
  const json = JSON.stringify(settings).replaceAll('<', '\\u003c');
  // The policy decides, and older browsers would heed this instead.
  if (embeddedBy) reply.removeHeader('x-frame-options');
  return reply
    .headers({
      'content-security-policy': consolePolicy(request.headers.host, nonce, embeddedBy),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex',
    })
    .type('text/html; charset=utf-8')
    .send(markup.replace('{{nonce}}', nonce).replace('"{{settings}}"', () => json));
}

/** Nothing from or to anywhere but our own origin. React Aria adds two style elements of its own, which carry the nonce. */
function consolePolicy(host: string | undefined, nonce: string, embeddedBy: string | null): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    connectSources(host),
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${embeddedBy ?? "'none'"}`,
  ].join('; ');
}

interface Asset {
  readonly name: string;
  readonly content: Buffer;
  readonly compressed: Readonly<Record<'br' | 'gzip', Buffer>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function readAssets(folder: string): Asset[] {
  return readdirSync(folder)
    .filter((name) => extname(name) in TYPES)
    .map((name) => {
      const read = (ending: string) => readFileSync(join(folder, `${name}${ending}`));
      return { name, content: read(''), compressed: { br: read('.br'), gzip: read('.gz') } };
    });
}

function sendAsset({ name, content, compressed }: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply
    .headers({
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
    })
    .type(TYPES[extname(name)] as string);
  const encoding = (['br', 'gzip'] as const).find((one) => accepts(request.headers['accept-encoding'], one));
  if (!encoding) return reply.send(content);
  return reply.header('content-encoding', encoding).send(compressed[encoding]);
}

/** Returns whether `Accept-Encoding` (RFC 9110 12.5.3) names a coding, and not with a weight of zero. */
function accepts(header: string | undefined, coding: string): boolean {
  return (header ?? '').split(',').some((one) => {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
