import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { findSigningConnection } from './signing/findSigningConnection.js';
import { generateSigningSecret } from './signing/generateSigningSecret.js';

export interface RevealedSigningSecret {
  /** `whsec_` and base64. */
  readonly signingSecret: string;
  /** Until when the secret before this one signs as well; null without one. */
  readonly previousSecretExpiresAt: Date | null;
}

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/** The secret that signs a webhook connection's deliveries; made now if none was needed yet. Throws an InputError: NOT_FOUND, INVALID. */
export function revealSigningSecret(
  { database, cipher }: Dependencies,
  caller: Caller,
  input: { readonly connectionId: string },
): Promise<RevealedSigningSecret> {
  return database.transaction(async (em) => {
    const connection = await findSigningConnection(em, caller, input.connectionId);
    const identity = columnIdentity.signingSecret(connection.id);
    connection.signingSecret ??= cipher.encrypt(generateSigningSecret(), identity);
    await em.flush();
    const expiresAt = connection.previousSigningSecretExpiresAt ?? null;
    return {
      signingSecret: cipher.decrypt(connection.signingSecret, identity),
      previousSecretExpiresAt: expiresAt && expiresAt.getTime() > Date.now() ? expiresAt : null,
    };
  });
}
