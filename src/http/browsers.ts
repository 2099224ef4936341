import type { FastifyRequest } from 'fastify';

/**
 * Host names that always mean this machine. Any other name may belong to an attacker who made it resolve to this machine
 * (DNS rebinding).
 */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/;
const LOOPBACK_ADDRESS = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
/** Headers that proxies add and browsers never send. */
const FORWARDING = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-original-.*|x-client-ip|cf-.*|true-client-ip)$/;

/** Returns whether a browser on this machine sent the request without a proxy. Every sign of a proxy counts. */
export function isLocalBrowser({ headers, raw }: FastifyRequest, publicUrl: string): boolean {
  return (
    LOOPBACK.test(new URL(publicUrl).host) &&
    LOOPBACK.test(headers.host ?? '') &&
    LOOPBACK_ADDRESS.test(raw.socket.remoteAddress ?? '') &&
    !Object.keys(headers).some((name) => FORWARDING.test(name))
  );
}

const HOST = /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9A-Fa-f:.]+\](:\d+)?$/;

/**
 * Returns the directive `connect-src` of a page that calls this server alone. `host` is the request's header: some browsers do
 * not count the websocket of the same host as 'self'.
 */
export function connectSources(host: string | undefined): string {
  const socket = host !== undefined && HOST.test(host) ? ` ws://${host} wss://${host}` : '';
  return `connect-src 'self'${socket}`;
}
