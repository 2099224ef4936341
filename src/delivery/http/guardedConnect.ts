import { isIP, type LookupFunction, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { type Lookup, ResolverSilent } from './resolver.js';

/** None of the host's addresses may be connected to. */
class AddressRefused extends Error {
  readonly code = 'ERR_ADDRESS_REFUSED';
}

/** The host name could not be resolved. `cause` is the resolver's error. */
class LookupFailed extends Error {
  readonly code = 'ERR_LOOKUP_FAILED';
}

interface GuardedConnectOptions {
  readonly policy: AddressPolicy;
  readonly lookup: Lookup;
  /** Maximum duration of look-up, TCP and TLS handshake together, in milliseconds. */
  readonly timeoutMs: number;
  /** Certificate authorities to trust instead of the default ones, in PEM. */
  readonly ca?: string | Buffer;
  readonly onSocket?: (socket: Socket) => void;
}

/**
 * Opens sockets for undici to permitted addresses only.
 *
 * The look-up returns only the permitted addresses of a name, and the socket goes to one of exactly those, so no second look-up
 * can return a different address. Literal addresses never reach a look-up, so they are checked first. Finally the address that
 * the socket is really connected to is checked, before a byte of the request is written.
 */
export function createGuardedConnect(options: GuardedConnectOptions): buildConnector.connector {
  const { policy, onSocket } = options;
  const connect = buildConnector({
    allowH2: false,
    timeout: options.timeoutMs,
    lookup: permittedLookup(policy, options.lookup),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  } as buildConnector.BuildOptions);

  return (target, callback) => {
    if (isIP(target.hostname) !== 0 && !policy.permits(target.hostname)) {
      callback(new AddressRefused('literal address'), null);
      return;
    }
    connect(target, (error, socket) => {
      if (error) return callback(error, null);
      if (!policy.permits(socket.remoteAddress ?? '')) {
        socket.on('error', () => {}).destroy();
        return callback(new AddressRefused('connected address'), null);
      }
      onSocket?.(socket);
      callback(null, socket);
    });
  };
}

/** Returns a look-up in the form that node:net expects: all addresses when it wants to try several (RFC 8305), else one. */
function permittedLookup(policy: AddressPolicy, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname).then(
      (found) => {
        const permitted = found.filter(({ address }) => policy.permits(address));
        const first = permitted[0];
        if (!first) callback(found.length === 0 ? new LookupFailed('no address') : new AddressRefused('resolved addresses'), '');
        else if (options.all) callback(null, [...permitted]);
        else callback(null, first.address, first.family);
      },
      (cause: unknown) => callback(cause instanceof ResolverSilent ? cause : new LookupFailed('look-up failed', { cause }), ''),
    );
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** IANA assigns global unicast IPv6 from 2000::/3 only, so all other addresses (::a.b.c.d, 64:ff9b::/96, …) are refused. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/** Decides which IP addresses deliveries may be sent to. */
export interface AddressPolicy {
  /**
   * Returns true for a public unicast address and for an address in an allowed network. Anything that is not an IP address is
   * refused.
   */
  permits(address: string): boolean;
}

/**
 * Creates the policy.
 * @param allowedNetworks CIDRs that are permitted although they are not public, such as `127.0.0.0/8`. An IPv4 network also
 * permits the IPv4-mapped form of its addresses.
 * @throws RangeError naming the entry that is not a CIDR.
 */
export function createAddressPolicy(allowedNetworks: readonly string[]): AddressPolicy {
  const networks = allowedNetworks.map(parseNetwork);
  return {
    permits(text) {
      const address = parseAddress(text);
      return address !== null && (isPublic(address) || networks.some((network) => contains(network, address)));
    },
  };
}

function parseNetwork(cidr: string): Network {
  try {
    const [address, bits] = ipaddr.parseCIDR(cidr.trim());
    if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96) {
      return [(address as ipaddr.IPv6).toIPv4Address(), bits - 96];
    }
    return [address, bits];
  } catch {
    throw new RangeError(`"${cidr}" is not a network in CIDR notation, such as 10.1.0.0/16`);
  }
}

/** Parses an IP address strictly: ipaddr.js would read `010.0.0.1` as octal, where other parsers read decimal. */
function parseAddress(text: string): Address | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  return bare.includes(':') && ipaddr.IPv6.isValid(bare) ? ipaddr.process(bare) : null;
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6);
}

function contains(network: Network, address: Address): boolean {
  return network[0].kind() === address.kind() && address.match(network);
}
