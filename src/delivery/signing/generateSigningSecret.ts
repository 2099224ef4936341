import { randomBytes } from 'node:crypto';

/** A new secret in Standard Webhooks' form: `whsec_` and 32 random bytes in base64. */
export function generateSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
