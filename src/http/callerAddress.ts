import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';

/** Bits of the prefix that an IPv6 customer has at least (RFC 6177). */
const IPV6_PREFIX = 64;

/**
 * Returns the address by which a request is counted: an IPv4 address, or an IPv6 network of 64 bits. Addresses that trusted
 * proxies forward are read from the nearest to the furthest. The last valid one before the first invalid one is used.
 */
export function callerAddress({ ip, ips }: Pick<FastifyRequest, 'ip' | 'ips'>): string {
  // The order is from the nearest address, the socket's, to the furthest that trusted proxies forward.
  let found = 'unknown';
  for (const text of ips ?? [ip]) {
    const address = readAddress(text ?? '');
    if (!address) break;
    found = address;
  }
  return found;
}

function readAddress(text: string): string | null {
  // Some proxies add the port (RFC 7239 6): 192.0.2.1:1234 or [2001:db8::1]:1234.
  const bare = /^\[([^\]]{1,60})\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]{7,15}):\d{1,5}$/.exec(text)?.[1] ?? text;
  if (bare.length > 60 || !ipaddr.isValid(bare) || (!bare.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(bare)))
    return null;
  const address = ipaddr.process(bare);
  if (address.kind() === 'ipv4') return address.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${stripZone(address.toNormalizedString())}/${IPV6_PREFIX}`)}/${IPV6_PREFIX}`;
}

function stripZone(text: string): string {
  return text.split('%', 1)[0] as string;
}
