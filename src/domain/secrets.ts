import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-256 in hex. What we make ourselves (API secrets, states, browser bindings) has 256 random bits of its own,
 * so no slower hash is needed, and whoever reads the database holds nothing that opens a door.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two secrets (or hashes of them) in time that depends on their length alone. */
export function secretsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
