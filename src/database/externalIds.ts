import { sql } from 'kysely';
import type { Caller } from '../domain/Caller.js';
import { InputError } from '../domain/errors.js';
import type { Database } from './Database.js';

/** The tables with an externalId, and the words for their rows in messages. */
const CALLED = { connections: 'connection', subscriptions: 'subscription' } as const;

/**
 * Runs work that gives a row an externalId, in its own transaction. The unique index decides whether it is free, so only one
 * of two concurrent calls gets it. Throws an InputError: CONFLICT, naming the row that has it.
 */
export async function withExternalId<T>(
  database: Database,
  table: keyof typeof CALLED,
  caller: Caller,
  externalId: string | null | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { constraint?: unknown }).constraint !== `${table}_external_id_unique`) throw error;
    const { rows } = await sql<{ id: string }>`
      select id from ${sql.table(table)} where organization_id = ${caller.organizationId} and external_id = ${externalId}`.execute(
      database.sql(),
    );
    const holder = rows[0] ? `: ${rows[0].id}` : '';
    throw InputError.of('CONFLICT', `A ${CALLED[table]} has this externalId already${holder}.`, 'externalId');
  }
}
