import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

export interface HealthDependencies {
  readonly database: Database;
  /** What an operator must mend. */
  readonly alarms: { list(): readonly { readonly name: string; readonly message: string; readonly since: Date }[] };
}

/**
 * `GET /health/live`: the process runs. `GET /health/ready`: it can do its work, which needs Postgres. Alarms are shown
 * but don't make it unready: taking processes away would not mend a wrong client secret.
 */
export function healthRoutes(app: FastifyInstance, { database, alarms }: HealthDependencies): void {
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    try {
      await sql`select 1`.execute(database.sql());
      const raised = alarms.list();
      return { status: raised.length > 0 ? 'degraded' : 'ok', database: 'ok', alarms: raised };
    } catch {
      return reply.code(503).send({ status: 'unavailable', database: 'unreachable', alarms: alarms.list() });
    }
  });
}
