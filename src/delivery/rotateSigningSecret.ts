import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import type { RevealedSigningSecret } from './revealSigningSecret.js';
import { findSigningConnection } from './signing/findSigningConnection.js';
import { generateSigningSecret } from './signing/generateSigningSecret.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

const DAY_MS = 86_400_000;

/**
 * Makes a new signing secret; the one before signs as well for 24 hours, in which the receiver changes over. A secret
 * before that one, from a rotation less than a day ago, ends now. Throws an InputError: NOT_FOUND, INVALID.
 */
export function rotateSigningSecret(
  { database, cipher }: Dependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, caller, input.connectionId);
    const signingSecret = generateSigningSecret();
    const previousSecretExpiresAt = connection.signingSecret ? new Date(Date.now() + DAY_MS) : null;
    em.assign(connection, {
      previousSigningSecret: connection.signingSecret ?? null,
      previousSigningSecretExpiresAt: previousSecretExpiresAt,
      signingSecret: cipher.encrypt(signingSecret, columnIdentity.signingSecret(connection.id)),
      updatedAt: new Date(),
    });
    await em.flush();
    return { signingSecret, previousSecretExpiresAt };
  });
}
