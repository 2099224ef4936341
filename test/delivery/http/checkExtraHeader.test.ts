import { describe, expect, it } from 'vitest';
import { checkExtraHeader } from '../../../src/delivery/http/checkWebhook.js';

describe('checkExtraHeader', () => {
  it.each([
    ['X-Shop', 'north'],
    ['x_shop', ''],
    ['Cookie', 'a=b; c=d'],
    ['X-Quoted', '"a, b" (c)'],
    ['x'.repeat(256), 'v'.repeat(4_096)],
  ])('accepts %s', (name, value) => {
    expect(checkExtraHeader(name, value)).toBeNull();
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', 'a\0b', 'ä', 'a(b)', ' a', ':authority'])('refuses the name %j', (name) => {
    expect(checkExtraHeader(name, 'v')).toContain('header name');
  });

  it.each(['a\r\nHost: b', 'a\nb', 'a\rb', 'a\0b', 'a\tb', 'a\x7fb', 'a\x1bb', 'ä', '\u2028'])(
    'refuses the value %j',
    (value) => {
      expect(checkExtraHeader('X-Shop', value)).toContain('printable ASCII');
    },
  );

  it('refuses what is too long', () => {
    expect(checkExtraHeader('x'.repeat(257), 'v')).toContain('256');
    expect(checkExtraHeader('X-Shop', 'v'.repeat(4_097))).toContain('4096');
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'CONNECTION',
    'Keep-Alive',
    'Proxy-Authorization',
    'proxy-connection',
    'TE',
    'Trailer',
    'Upgrade',
    'Expect',
    'Content-Type',
    'Content-Encoding',
    'Accept-Encoding',
    'Authorization',
    'User-Agent',
    'Webhook-Id',
    'webhook-timestamp',
    'Webhook-Event-Id',
    'webhook-event-time',
    'webhook-test',
    'WEBHOOK-SIGNATURE',
    'svix-id',
    'Svix-Signature',
  ])('refuses %s, in any case', (name) => {
    expect(checkExtraHeader(name, 'v')).toContain("This header can't be set");
  });
});
