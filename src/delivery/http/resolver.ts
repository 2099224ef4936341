import dns from 'node:dns';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { HOUR_MS } from '../../domain/duration.js';

/** Resolves a host name to all of its addresses, in order of preference. Rejects with the resolver's error. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6 | number;
}

/** Our own name servers answer no query at the moment, so the failure says nothing about the name. */
export class ResolverSilent extends Error {
  readonly code = 'ERR_RESOLVER_SILENT';
}

export interface ResolverOptions {
  /** Name servers as `address` or `address:port`. Default: those of the system. */
  readonly servers?: readonly string[];
  /** Maximum duration of a look-up in milliseconds. */
  readonly deadlineMs?: number;
  /** Path of the hosts file. Default: that of the system. */
  readonly hostsFile?: string;
}

/** Answers are cached for their TTL, within these bounds in milliseconds. */
const SHORTEST_KEPT_MS = 1_000;
const LONGEST_KEPT_MS = 300_000;
/** Milliseconds for which a failure is cached: the name does not exist, or its name servers are silent. */
const FAILURE_KEPT_MS = 5_000;
/** An expired answer is still used while no name server answers (RFC 8767). */
const STALE_FOR_MS = HOUR_MS;
const MAX_NAMES = 10_000;

/** Milliseconds to wait for the addresses of the other family (RFC 8305 3, resolution delay). */
const OTHER_FAMILY_MS = 50;

interface Known {
  readonly addresses: readonly ResolvedAddress[] | null;
  readonly error: Error | null;
  /** `performance.now()`. */
  readonly until: number;
}

/**
 * Creates a resolver that queries DNS itself. The operating system's resolver runs on the four threads that the whole process
 * shares: a few names with silent name servers would occupy all of them and block every other look-up, including that of
 * Postgres.
 *
 * A look-up takes limited time, answers are cached for their TTL, and concurrent look-ups of one name share one query. The hosts
 * file is read first. A name that DNS does not know is also looked up by the system, one at a time, because the system knows
 * search domains. When no query at all is answered any more, it throws ResolverSilent, so that no receiver is blamed.
 */
export function createResolver({ servers, deadlineMs = 2_000, hostsFile }: ResolverOptions = {}): Lookup {
  const resolver = new dns.promises.Resolver({ timeout: Math.ceil(deadlineMs / 2), tries: 2 });
  if (servers) resolver.setServers([...servers]);
  const hosts = new HostsFile(hostsFile);
  const known = new Map<string, Known>();
  const underWay = new Map<string, Promise<readonly ResolvedAddress[]>>();
  const system = oneAtATime((hostname) => dns.promises.lookup(hostname, { all: true, order: 'verbatim' }));
  let answeredAt = Number.NEGATIVE_INFINITY;
  /** The last name that was answered. Asking for it again shows whether the name servers still answer. */
  let answeredName = '.';
  let probing: Promise<boolean> | undefined;

  async function lookup(hostname: string): Promise<readonly ResolvedAddress[]> {
    const name = hostname.toLowerCase().replace(/\.$/, '');
    const kept = known.get(name);
    if (kept && kept.until > performance.now()) {
      if (kept.addresses) return kept.addresses;
      throw kept.error;
    }
    let running = underWay.get(name);
    if (!running) {
      running = resolve(name, kept).finally(() => underWay.delete(name));
      underWay.set(name, running);
    }
    return running;
  }

  async function resolve(name: string, before: Known | undefined): Promise<readonly ResolvedAddress[]> {
    const here = await hosts.find(name);
    if (here) return here;
    const askedAt = performance.now();
    try {
      const { addresses, keptMs } = await within(deadlineMs, ask(name));
      keep(name, { addresses, error: null, until: performance.now() + keptMs });
      return addresses;
    } catch (error) {
      return explain(name, error as NodeJS.ErrnoException, before, askedAt);
    }
  }

  /** Returns the addresses of both families, or of one when the other takes longer. */
  async function ask(name: string): Promise<{ addresses: readonly ResolvedAddress[]; keptMs: number }> {
    const four = heard(name, resolver.resolve4(name, { ttl: true }));
    const six = heard(name, resolver.resolve6(name, { ttl: true }));
    const first = await Promise.any([four, six]).catch((error: AggregateError) => {
      // An explicit answer says more than silence. But a name without AAAA records whose A query gets no answer is silent.
      throw error.errors.find(({ code }) => isSilence(code)) ?? error.errors[0];
    });
    await Promise.race([Promise.allSettled([four, six]), new Promise((done) => setTimeout(done, OTHER_FAMILY_MS))]);
    const records = (await Promise.all([six, four].map((family) => Promise.race([family.catch(() => []), nextTurn([])])))).flat();
    const all = records.length > 0 ? records : first;
    const ttl = Math.min(...all.map((record) => record.ttl));
    const addresses = all.map(({ address }) => ({ address, family: isIP(address) }));
    return { addresses, keptMs: Math.min(LONGEST_KEPT_MS, Math.max(SHORTEST_KEPT_MS, ttl * 1_000)) };
  }

  async function heard<T>(name: string, answer: Promise<T>): Promise<T> {
    try {
      const records = await answer;
      answeredAt = performance.now();
      answeredName = name;
      return records;
    } catch (error) {
      if (!isSilence((error as NodeJS.ErrnoException).code)) answeredAt = performance.now();
      throw error;
    }
  }

  async function explain(name: string, error: NodeJS.ErrnoException, before: Known | undefined, askedAt: number) {
    if (isSilence(error.code)) {
      if (before?.addresses && before.until + STALE_FOR_MS > performance.now()) return before.addresses;
      if (!(await isAliveSince(askedAt))) throw new ResolverSilent('no name server answers', { cause: error });
    } else {
      const addresses = await within(deadlineMs, system(name)).catch(() => null);
      if (addresses && addresses.length > 0) {
        keep(name, { addresses, error: null, until: performance.now() + FAILURE_KEPT_MS });
        return addresses;
      }
    }
    keep(name, { addresses: null, error, until: performance.now() + FAILURE_KEPT_MS });
    throw error;
  }

  /**
   * Returns whether the name servers have answered any query since `askedAt`, or do so now. If not, the silence does not concern
   * this name alone.
   */
  async function isAliveSince(askedAt: number): Promise<boolean> {
    if (answeredAt >= askedAt) return true;
    probing ??= within(deadlineMs, Promise.any([answers(answeredName, 'A'), answers('.', 'NS')]))
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        probing = undefined;
      });
    const alive = await probing;
    if (alive) answeredAt = performance.now();
    return alive;
  }

  /** Resolves when the name servers send any response about a name. */
  async function answers(name: string, type: 'A' | 'NS'): Promise<void> {
    await resolver.resolve(name, type).catch((error: NodeJS.ErrnoException) => {
      if (isSilence(error.code)) throw error;
    });
  }

  function keep(name: string, answer: Known): void {
    known.delete(name);
    known.set(name, answer);
    if (known.size > MAX_NAMES) known.delete(known.keys().next().value as string);
  }

  return lookup;
}

/** Returns whether a code (of c-ares or our own) means that no name server answered or none could be asked. */
function isSilence(code: string | undefined): boolean {
  return (
    code === 'ETIMEOUT' || code === 'ECONNREFUSED' || code === 'ECANCELLED' || code === 'EREFUSED' || code === 'EDESTRUCTION'
  );
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error(`no answer within ${ms} ms`), { code: 'ETIMEOUT' })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Prevents an unhandled rejection when the work fails after the deadline.
    work.catch(() => {});
  }
}

function nextTurn<T>(value: T): Promise<T> {
  return new Promise((done) => setImmediate(done, value));
}

/** Runs one look-up at a time: the system's resolver occupies a thread for as long as name servers are silent. */
function oneAtATime(lookup: Lookup): Lookup {
  let busy = false;
  return async (hostname) => {
    if (busy) return [];
    busy = true;
    try {
      return await lookup(hostname);
    } finally {
      busy = false;
    }
  };
}

/** Milliseconds between two checks whether the hosts file has changed. */
const HOSTS_CHECKED_MS = 5_000;

/** The names of the hosts file (hosts(5)), read again when the file changes. */
class HostsFile {
  #addresses = new Map<string, ResolvedAddress[]>();
  #checkedAt = Number.NEGATIVE_INFINITY;
  #modifiedMs = 0;

  constructor(
    private readonly path = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts',
  ) {}

  async find(name: string): Promise<readonly ResolvedAddress[] | null> {
    await this.#refresh();
    const found = this.#addresses.get(name);
    if (found) return found;
    // RFC 6761 6.3: these names must resolve to the loopback address.
    if (name !== 'localhost' && !name.endsWith('.localhost')) return null;
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#checkedAt < HOSTS_CHECKED_MS) return;
    this.#checkedAt = performance.now();
    try {
      const { mtimeMs } = await stat(this.path);
      if (mtimeMs === this.#modifiedMs) return;
      this.#addresses = parseHosts(await readFile(this.path, 'utf8'));
      this.#modifiedMs = mtimeMs;
    } catch {
      // A missing hosts file counts as empty.
      this.#addresses = new Map();
    }
  }
}

function parseHosts(text: string): Map<string, ResolvedAddress[]> {
  const hosts = new Map<string, ResolvedAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of names) hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), { address, family }]);
  }
  return hosts;
}
