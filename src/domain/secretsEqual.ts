import { timingSafeEqual } from 'node:crypto';

/** Compares two secrets (or hashes of them) in time that depends on their length alone. */
export function secretsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
