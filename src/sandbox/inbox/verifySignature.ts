import { Webhook } from 'standardwebhooks';

/** What a receiver that knows the secret would think of a request. */
export interface SignatureVerdict {
  /** unchecked: no secret is known. unsigned: a secret is known, but the request carries no signature. */
  verdict: 'valid' | 'invalid' | 'unsigned' | 'unchecked';
  reason?: string;
}

/** Checks id, timestamp (within five minutes of the real clock) and signature as Standard Webhooks says. */
export function verifySignature(secret: string | undefined, body: Buffer, headers: Record<string, string>): SignatureVerdict {
  if (secret === undefined) return { verdict: 'unchecked' };
  if (!headers['webhook-signature']) return { verdict: 'unsigned' };
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return { verdict: 'valid' };
  } catch (error) {
    return { verdict: 'invalid', reason: error instanceof Error ? error.message : String(error) };
  }
}
