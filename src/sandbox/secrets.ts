import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Returns the SHA-256 in base64url. Secrets are stored and compared only in this form, so neither timing nor the state file
 * reveals one.
 */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Compares two secrets of any length. Hashing first makes the lengths equal, which timingSafeEqual requires. */
export function constantTimeEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
