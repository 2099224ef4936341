import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { databaseTrouble } from '../database/databaseTrouble.js';
import { STORAGE_ALARM } from '../database/StorageAlarm.js';

export interface HealthDependencies {
  readonly database: Database;
  /** Alarms: problems that an operator must fix. */
  readonly alarms: { list(): readonly { readonly name: string; readonly message: string; readonly since: Date }[] };
}

/**
 * Adds `GET /health/live`, which says that the process runs, and `GET /health/ready`, which says whether it can work. It
 * needs Postgres for that; `database` names the problem with it. Alarms are shown but do not make a process unready:
 * removing processes would fix neither a wrong client secret nor a full disk. Callers learn of a full disk by STORAGE_FULL,
 * and can still read.
 */
export function healthRoutes(app: FastifyInstance, { database, alarms }: HealthDependencies): void {
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    try {
      await sql`select 1`.execute(database.sql());
      const raised = alarms.list();
      const full = raised.some(({ name }) => name === STORAGE_ALARM);
      return { status: raised.length > 0 ? 'degraded' : 'ok', database: full ? 'full' : 'ok', alarms: raised };
    } catch (error) {
      const trouble = databaseTrouble(error) ?? 'unreachable';
      return reply.code(503).send({ status: 'unavailable', database: trouble, alarms: alarms.list() });
    }
  });
}
