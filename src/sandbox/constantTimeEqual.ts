import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares two secrets of any length; hashing first makes the lengths equal, which timingSafeEqual insists on. */
export function constantTimeEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
