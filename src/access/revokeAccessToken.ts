import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import type { Caller } from '../domain/Caller.js';
import { hashSecret } from '../domain/hashSecret.js';

/** Ends an access token at once, in every process, if it was issued to this key (RFC 7009 2.1). Whether there was one is not told. */
export async function revokeAccessToken({ database }: { database: Database }, caller: Caller, token: string): Promise<void> {
  await database
    .sql()
    .updateTable('access_tokens')
    .set({ expires_at: sql<Date>`least(expires_at, now())` })
    .where('token_hash', '=', hashSecret(token))
    .where('api_key_id', '=', String(caller.apiKeyId))
    .execute();
}
