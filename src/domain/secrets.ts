import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Returns the SHA-256 of a secret in hex. Secrets that we generate (API secrets, states, browser bindings) have 256 random bits,
 * so no slower hash is needed, and a stolen database contains no usable secret.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets (or hashes of them) in time that depends on their length only. */
export function secretsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
