import { describe, expect, it } from 'vitest';
import { checkWebhookUrl } from '../../../src/delivery/http/checkWebhook.js';
import { PRIVATE_ADDRESSES } from './support/addresses.js';

const check = (url: string, allowPrivateNetworks: string[] = []) => checkWebhookUrl(url, { allowPrivateNetworks });
const problemOf = (url: string, allow?: string[]) => {
  const result = check(url, allow);
  return result.ok ? null : result.problem;
};

describe('checkWebhookUrl', () => {
  it.each([
    'https://example.com/webhooks?source=parcels',
    'http://example.com:8080',
    'HTTPS://EXAMPLE.COM/',
    'https://müller.example/',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
    'https://localhost.example.com/',
    'https://internal.example.com/',
  ])('accepts %s', (url) => {
    expect(problemOf(url)).toBeNull();
  });

  it('returns the parsed URL', () => {
    const result = check('https://EXAMPLE.com/a b'.replace(' ', '%20'));
    expect(result.ok && result.url.href).toBe('https://example.com/a%20b');
  });

  it.each([
    ['', 'https://'],
    ['example.com', 'https://'],
    ['https:example.com', 'https://'],
    ['ftp://example.com', 'https://'],
    ['javascript:alert(1)', 'https://'],
    ['file:///etc/passwd', 'https://'],
    ['https://', 'valid URL'],
    ['https://exa mple.com', 'spaces'],
    ['https://example.com/\r\nx', 'line breaks'],
    ['\thttps://example.com/', 'control characters'],
    ['https://user:pass@example.com/', 'user name or password'],
    ['https://user@example.com/', 'user name or password'],
    ['https://example.com/#part', 'fragment'],
    ['https://example.com/#', 'fragment'],
    ['https://example.com:0/', 'port'],
    ['https://example.com:99999/', 'valid URL'],
    [`https://example.com/${'a'.repeat(2_048)}`, '2048 characters'],
    [`https://example.com/${'ä'.repeat(1_000)}`, 'normalized form'],
  ])('refuses %j', (url, reason) => {
    expect(problemOf(url)).toContain(reason);
  });

  it.each([
    'http://127.1/',
    'http://0x7f000001/',
    'http://0x7f.0x0.0x0.0x1/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://127.0.0.1./',
    'http://１２７.0.0.1/',
    'http://127。0。0。1/',
    'http://0/',
    'http://10.1/',
    'http://[::ffff:7f00:1]/',
    ...PRIVATE_ADDRESSES.filter(([address]) => !address.includes('%')).map(([address]) =>
      address.includes(':') ? `http://[${address}]/` : `http://${address}/`,
    ),
  ])('refuses the private address in %s', (url) => {
    expect(problemOf(url)).toContain('not public');
  });

  it.each(['http://localhost/', 'http://LOCALHOST:4000/', 'http://localhost./', 'http://a.localhost/'])('refuses %s', (url) => {
    expect(problemOf(url)).toContain('localhost');
  });

  it.each(['http://intranet/', 'http://db.internal/', 'http://db.internal./', 'http://printer.local/', 'http://nas.home.arpa/'])(
    'refuses %s, a name that only means something inside a network',
    (url) => {
      expect(problemOf(url)).toContain('full public name');
    },
  );

  it('accepts what an allowed network makes reachable', () => {
    expect(problemOf('http://localhost:4000/', ['127.0.0.0/8'])).toBeNull();
    expect(problemOf('http://[::1]:4000/', ['::1/128'])).toBeNull();
    expect(problemOf('http://127.1:4000/', ['127.0.0.0/8'])).toBeNull();
    expect(problemOf('http://billing.internal/', ['10.0.0.0/8'])).toBeNull();
    expect(problemOf('http://localhost/', ['10.0.0.0/8'])).toContain('localhost');
    expect(problemOf('http://192.168.0.1/', ['10.0.0.0/8'])).toContain('not public');
  });
});
