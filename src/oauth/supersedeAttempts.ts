import type { EntityManager } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';

export interface SupersedeOptions {
  /** Also an attempt whose code is being exchanged at this moment; its grant will be handed back. */
  readonly underWayToo: boolean;
}

/** Ends the open attempts of a connection, in the given transaction, which holds the connection's lock. */
export async function supersedeAttempts(
  em: EntityManager,
  connectionId: number,
  { underWayToo }: SupersedeOptions,
): Promise<void> {
  await em.nativeUpdate(
    Authorization,
    { connectionId, status: 'pending', ...(underWayToo ? {} : { consumedAt: null }) },
    { status: 'superseded', codeVerifier: null, completedAt: new Date() },
  );
}
