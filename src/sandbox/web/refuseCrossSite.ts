import type { FastifyReply, FastifyRequest } from 'fastify';

/** The sandbox has no log-in, so without this any web page that a developer visits could press its buttons. */
export async function refuseCrossSite(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const site = request.headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return undefined;
  return reply.code(403).type('text/plain').send('This form can only be sent from the sandbox itself.');
}
