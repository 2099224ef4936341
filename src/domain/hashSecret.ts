import { createHash } from 'node:crypto';

/**
 * SHA-256 in hex. What we make ourselves (API secrets, states, browser bindings) has 256 random bits of its own,
 * so no slower hash is needed, and whoever reads the database holds nothing that opens a door.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
