import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** IANA hands out global unicast IPv6 from 2000::/3 alone, so whatever lies outside (::a.b.c.d, 64:ff9b::/96, …) is refused. */
const GLOBAL_IPV6: Network = [ipaddr.IPv6.parse('2000::'), 3];

/** Decides which IP addresses deliveries may be sent to. */
export interface AddressPolicy {
  /** True for a public unicast address and for one in an allowed network. Anything that is not an IP address is refused. */
  permits(address: string): boolean;
}

/**
 * @param allowedNetworks CIDRs that are permitted though they are not public, such as `127.0.0.0/8`. An IPv4 network
 *   also permits the IPv4-mapped form of its addresses.
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

/** Strict on purpose: ipaddr.js would read `010.0.0.1` as octal, where other parsers read decimal. */
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
