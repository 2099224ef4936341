import { createSecretKey, type KeyObject } from 'node:crypto';

const FORM = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;

/** Standard Webhooks, "Signature scheme": between 24 and 64 bytes. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/**
 * The HMAC key within a secret such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
 * @throws TypeError when it isn't of that form; the message does not hold the secret.
 */
export function decodeSigningSecret(secret: string): KeyObject {
  const base64 = FORM.exec(secret)?.[1];
  if (base64 === undefined) throw new TypeError('A signing secret must be "whsec_" and base64');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < MIN_BYTES || bytes.length > MAX_BYTES) {
    throw new TypeError(`A signing secret must have ${MIN_BYTES} to ${MAX_BYTES} bytes, this one has ${bytes.length}`);
  }
  return createSecretKey(bytes);
}
