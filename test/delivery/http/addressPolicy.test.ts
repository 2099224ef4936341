import { describe, expect, it } from 'vitest';
import { createAddressPolicy } from '../../../src/delivery/http/guardedConnect.js';
import { PRIVATE_ADDRESSES, PUBLIC_ADDRESSES } from './support/addresses.js';

describe('address policy', () => {
  const policy = createAddressPolicy([]);

  it.each(PRIVATE_ADDRESSES)('refuses %s (%s)', (address) => {
    expect(policy.permits(address)).toBe(false);
  });

  it.each(PUBLIC_ADDRESSES)('permits %s (%s)', (address) => {
    expect(policy.permits(address)).toBe(true);
  });

  it.each(['', 'example.com', '127.1', '0x7f000001', '2130706433', '010.0.0.1', '1.2.3', '8.8.8.8/32', '::ffff:8.8.8.8:80'])(
    'refuses %j, which is not an address in its usual form',
    (text) => {
      expect(policy.permits(text)).toBe(false);
    },
  );

  it('permits the addresses of an allowed network, mapped into IPv6 too, and no others', () => {
    const local = createAddressPolicy(['127.0.0.0/8', ' fd00:1::/32 ']);
    expect(['127.0.0.1', '127.255.255.255', '::ffff:127.0.0.1', 'fd00:1::5'].map(local.permits)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['10.0.0.1', '::1', 'fd00:2::5', '::ffff:10.0.0.1'].map(local.permits)).toEqual([false, false, false, false]);
  });

  it('reads an allowed network that is written as IPv4-mapped IPv6', () => {
    expect(createAddressPolicy(['::ffff:10.0.0.0/104']).permits('10.1.2.3')).toBe(true);
  });

  it.each(['', 'localhost', '127.0.0.1', '10.0.0.0/33', '10.0.0.0/8/8'])('names the entry %j that is not a network', (cidr) => {
    expect(() => createAddressPolicy(['127.0.0.0/8', cidr])).toThrow(`"${cidr}" is not a network in CIDR notation`);
  });
});
