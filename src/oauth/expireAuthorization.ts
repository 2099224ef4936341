import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';

/** Notes that an attempt ran out before anybody took its state. Returns it as it is then, which may be another outcome. */
export async function expireAuthorization({ database }: { database: Database }, id: string): Promise<Authorization> {
  const em = database.em();
  await em.nativeUpdate(
    Authorization,
    { id, status: 'pending', consumedAt: null },
    {
      status: 'expired',
      codeVerifier: null,
      completedAt: new Date(),
      errorCode: 'expired',
      errorDescription: 'Nobody came back within ten minutes.',
    },
  );
  return em.findOneOrFail(Authorization, id);
}
