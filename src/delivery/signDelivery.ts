import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

interface DeliveryToSign {
  /** The delivery's id, identical in every attempt so that receivers can detect repetitions. Must not contain a dot. */
  readonly id: string;
  /** The time of this attempt in seconds since 1970. Receivers reject a timestamp that is more than five minutes off. */
  readonly timestampSeconds: number;
  /** Exactly the bytes that are sent. A string is sent as UTF-8. */
  readonly body: string | Buffer;
  /** Every secret that is valid now: the current one, and for 24 hours after a rotation the previous one. */
  readonly secrets: readonly string[];
}

interface SignatureHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  /** One `v1,<base64>` for each secret, in the same order, separated by spaces. */
  readonly 'webhook-signature': string;
}

/**
 * Signs according to Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`.
 *
 * Uses node:crypto instead of the `standardwebhooks` package, whose SHA-256 is written in JavaScript: it takes four times as long
 * for a body of 1 kB, which matters at thousands of deliveries a second. The tests verify with the package.
 *
 * @throws TypeError when a secret is malformed or there is none.
 */
export function signDelivery({ id, timestampSeconds, body, secrets }: DeliveryToSign): SignatureHeaders {
  if (secrets.length === 0) throw new TypeError('A delivery needs at least one signing secret');
  const prefix = `${id}.${timestampSeconds}.`;
  let signatures = '';
  for (const secret of secrets) {
    const signature = createHmac('sha256', keyOf(secret)).update(prefix).update(body).digest('base64');
    signatures += signatures === '' ? `v1,${signature}` : ` v1,${signature}`;
  }
  return { 'webhook-id': id, 'webhook-timestamp': String(timestampSeconds), 'webhook-signature': signatures };
}

/** Decoded keys of recently used secrets. A busy connection signs thousands of times with the same one. */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 1_000;

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known) return known;
  const key = decodeSigningSecret(secret);
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(secret, key);
  return key;
}

const FORM = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;

/** Standard Webhooks, "Signature scheme": between 24 and 64 bytes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/**
 * Decodes a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw` to its HMAC key.
 * @throws TypeError when the secret does not have that form. The message does not contain the secret.
 */
function decodeSigningSecret(secret: string): KeyObject {
  const base64 = FORM.exec(secret)?.[1];
  if (base64 === undefined) throw new TypeError('A signing secret must be "whsec_" and base64');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES) {
    throw new TypeError(`A signing secret must have ${MIN_BYTES} to ${MAX_BYTES} bytes, this one has ${bytes.length}`);
  }
  return createSecretKey(bytes);
}
