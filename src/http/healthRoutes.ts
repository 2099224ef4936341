import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';

/** `GET /health/live`: the process runs. `GET /health/ready`: it can do its work, which needs Postgres. */
export function healthRoutes(app: FastifyInstance, { database }: { database: Database }): void {
  app.get('/health/live', async () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    try {
      await sql`select 1`.execute(database.sql());
      return { status: 'ok', database: 'ok' };
    } catch {
      return reply.code(503).send({ status: 'unavailable', database: 'unreachable' });
    }
  });
}
