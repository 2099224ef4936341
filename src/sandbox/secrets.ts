import { createHash, timingSafeEqual } from 'node:crypto';

/** Base64url SHA-256. Secrets are kept and compared only in this form, so neither timing nor the state file gives one away. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Compares two secrets of any length; hashing first makes the lengths equal, which timingSafeEqual insists on. */
export function constantTimeEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
