import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { databaseTrouble } from '../database/databaseTrouble.js';
import { STORAGE_ALARM } from '../database/StorageAlarm.js';

export interface HealthDependencies {
  readonly database: Database;
  /** What an operator must mend. */
  readonly alarms: { list(): readonly { readonly name: string; readonly message: string; readonly since: Date }[] };
}

/**
 * `GET /health/live`: the process runs. `GET /health/ready`: it can do its work, which needs Postgres; `database` says what
 * is the matter with that. Alarms are shown but don't make it unready: taking processes away would mend neither a wrong
 * client secret nor a disk that is full, of which callers are told by STORAGE_FULL while they can still read.
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
