import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphiqlAsset } from './GraphiqlAsset.js';
import type { GraphiqlOptions } from './GraphiqlOptions.js';
import { graphiqlPage } from './graphiqlPage.js';
import { graphiqlPolicy } from './graphiqlPolicy.js';
import { loadGraphiqlAssets } from './loadGraphiqlAssets.js';

/** Names that mean this machine to whoever asks. Any other may be a stranger's that was pointed here (DNS rebinding). */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;
const LOOPBACK_ADDRESS = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
/** What proxies add; browsers never send them. */
const FORWARDING = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-original-.*|x-client-ip|cf-.*|true-client-ip)$/;

/** `GET /graphiql`: the editor, wholly from our own origin, so that it works without any other network. */
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
        // It may hold credentials.
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex',
      })
      .type('text/html; charset=utf-8')
      .send(isLocal(request, options.publicUrl) ? pages.local : pages.elsewhere);
  app.get('/graphiql', sendPage);
  app.get('/graphiql/', sendPage);

  for (const asset of [...assets.scripts, ...assets.styles]) {
    app.get(asset.path, (request, reply) => sendAsset(asset, request, reply));
  }
}

/** Whether a browser on this machine asks, and nobody in between for somebody else: every sign of that counts. */
function isLocal({ headers, raw }: FastifyRequest, publicUrl: string): boolean {
  return (
    LOOPBACK.test(new URL(publicUrl).host) &&
    LOOPBACK.test(headers.host ?? '') &&
    LOOPBACK_ADDRESS.test(raw.socket.remoteAddress ?? '') &&
    !Object.keys(headers).some((name) => FORWARDING.test(name))
  );
}

async function sendAsset(asset: GraphiqlAsset, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  reply.headers({
    etag: asset.etag,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
  });
  // Weak comparison (RFC 9110, 13.1.2): what lies between may have marked our tag as weak.
  const known = request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === asset.etag);
  if (known) return reply.code(304).send();
  reply.type(asset.contentType);
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(request.headers['accept-encoding'] ?? '')) return reply.send(asset.content);
  return reply.header('content-encoding', 'gzip').send(await asset.gzipped());
}
