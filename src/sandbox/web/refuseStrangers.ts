import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';

/** Names that mean this machine to whoever asks. Any other may be a stranger's that was pointed here (DNS rebinding). */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Whoever may see a page of the sandbox and press its buttons: it has no log-in, so without this any web page that a
 * developer visits could do so. The name in `Host` must be this machine's or the public one (of `baseUrl`), and a form must
 * come from the sandbox itself, as `Sec-Fetch-Site` says or, from what does not send that, `Origin`. Programs send neither.
 */
export function refuseStrangers(baseUrl: () => string): preHandlerAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { host } = request.headers;
    const own = hostOf(`http://${host}`);
    const publicHost = hostOf(baseUrl())?.host;
    if (!own || !(LOOPBACK.test(own.hostname) || own.host === publicHost)) {
      return reply.code(403).type('text/plain').send('The sandbox can only be opened at its own address.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isOwnForm(request, [own.host, publicHost])) {
      return reply.code(403).type('text/plain').send('This form can only be sent from the sandbox itself.');
    }
    return undefined;
  };
}

/** A proxy in between may have put its own name into `Host`, but the browser knows the public one. */
function isOwnForm({ headers }: FastifyRequest, ownHosts: readonly (string | undefined)[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (headers.origin === undefined) return true;
  const from = hostOf(headers.origin)?.host;
  return from !== undefined && ownHosts.includes(from);
}

function hostOf(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}
