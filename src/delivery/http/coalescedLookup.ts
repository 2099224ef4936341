import dns from 'node:dns';

/** Resolves a host name to all of its addresses, in the order of preference. Rejects with the resolver's error. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6 | number;
}

/** The operating system's resolver, hosts file included. */
export const systemLookup: Lookup = (hostname) => dns.promises.lookup(hostname, { all: true, order: 'verbatim' });

/**
 * Shares one look-up among all who ask for the same name at the same time; nothing is kept once it is answered.
 *
 * The system's resolver runs on libuv's few threads. Without this, a handful of connections being opened to one name
 * whose name server is silent would occupy all of them, and every other host's look-up would wait behind it.
 */
export function coalescedLookup(lookup: Lookup): Lookup {
  const underWay = new Map<string, Promise<readonly ResolvedAddress[]>>();
  return (hostname) => {
    const running = underWay.get(hostname);
    if (running) return running;
    const started = lookup(hostname).finally(() => underWay.delete(hostname));
    underWay.set(hostname, started);
    return started;
  };
}
