import type { EntityManager } from '../database/Database.js';

/** A token to hand back to its provider (RFC 7009). */
export interface Revocation {
  readonly provider: string;
  readonly token: string;
  readonly hint: 'access_token' | 'refresh_token';
  /** The provider's account; a grant that another connection still lives on is left alone. */
  readonly accountId: string | null;
  /** How long to wait first, when the same account may be about to be linked again; none by default. */
  readonly afterSeconds?: number;
}

/** Revokes in the background, with bounded retries. */
export interface Revocations {
  /** Adds the job in the given transaction: it exists exactly when the transaction commits. */
  add(em: EntityManager, revocation: Revocation): Promise<void>;
}
