import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { signDelivery } from '../../src/delivery/signDelivery.js';
import { generateSigningSecret } from '../../src/delivery/signingSecrets.js';

const now = () => Math.floor(Date.now() / 1_000);
const body = JSON.stringify({ event_type: 'parcels.event.created', data: { city: 'Zürich', note: '📦' } });
const receivers = [
  ['standardwebhooks', (secret: string) => new StandardWebhook(secret)],
  ['svix', (secret: string) => new SvixWebhook(secret)],
] as const;

function signed(secrets: readonly string[], more: Partial<Parameters<typeof signDelivery>[0]> = {}): Record<string, string> {
  return { ...signDelivery({ id: 'dlv_1', timestampSeconds: now(), body, secrets, ...more }) };
}

describe.each(receivers)('a receiver with the %s package', (_, receiver) => {
  it('accepts what the connection’s secret signed', () => {
    const secret = generateSigningSecret();
    expect(() => receiver(secret).verify(body, signed([secret]))).not.toThrow();
  });

  it('accepts a body that was signed as bytes', () => {
    const secret = generateSigningSecret();
    expect(() => receiver(secret).verify(body, signed([secret], { body: Buffer.from(body) }))).not.toThrow();
  });

  it('accepts both secrets during a rotation', () => {
    const [current, previous] = [generateSigningSecret(), generateSigningSecret()];
    const headers = signed([current, previous]);
    expect(() => receiver(current).verify(body, headers)).not.toThrow();
    expect(() => receiver(previous).verify(body, headers)).not.toThrow();
  });

  it('refuses another secret, another body, another id and an old timestamp', () => {
    const secret = generateSigningSecret();
    const headers = signed([secret]);
    expect(() => receiver(generateSigningSecret()).verify(body, headers)).toThrow('No matching signature');
    expect(() => receiver(secret).verify(`${body} `, headers)).toThrow('No matching signature');
    expect(() => receiver(secret).verify(body, { ...headers, 'webhook-id': 'dlv_2' })).toThrow('No matching signature');
    expect(() => receiver(secret).verify(body, signed([secret], { timestampSeconds: now() - 600 }))).toThrow('too old');
  });
});

describe('signDelivery', () => {
  it('returns the signature of the specification’s example', () => {
    const headers = signDelivery({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestampSeconds: 1_614_265_330,
      body: '{"test": 2432232314}',
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('returns one signature for each secret, in their order, separated by spaces', () => {
    const [first, second] = [generateSigningSecret(), generateSigningSecret()];
    const [one, two, both] = [[first], [second], [first, second]].map(
      (secrets) => signDelivery({ id: 'dlv_1', timestampSeconds: 1_700_000_000, body, secrets })['webhook-signature'],
    );
    expect(both).toBe(`${one} ${two}`);
  });

  it('still works after more secrets than it caches', () => {
    const secret = generateSigningSecret();
    const before = signed([secret], { timestampSeconds: 1 });
    for (let i = 0; i < 1_100; i++) signed([generateSigningSecret()]);
    expect(signed([secret], { timestampSeconds: 1 })).toEqual(before);
  });

  it('refuses to sign without a secret', () => {
    expect(() => signed([])).toThrow(TypeError);
  });

  it.each([
    '',
    'secret',
    'whsec_',
    'whsec_not base64!',
    'whsec_QUJD',
    `whsec_${'QUJD'.repeat(30)}`,
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS',
  ])('refuses the malformed secret %j without showing it', (secret) => {
    expect(() => signed([secret])).toThrow(/^A signing secret must/);
    if (secret.length > 6) expect(() => signed([secret])).not.toThrow(new RegExp(secret.slice(6, 14)));
  });
});

describe('generateSigningSecret', () => {
  it('returns whsec_ and 32 random bytes in base64, different every time', () => {
    const secrets = new Set(Array.from({ length: 100 }, generateSigningSecret));
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });
});
