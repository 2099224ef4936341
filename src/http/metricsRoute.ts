import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { HealthDependencies } from './healthRoutes.js';

/** What waits is counted up to here: an operator needs to know that it is a lot, not how much. */
const MOST = 100_000;

/** `GET /metrics` for Prometheus: the process, the answers by route and status, what waits to be delivered, and alarms. */
export function metricsRoute(app: FastifyInstance, { database, alarms }: HealthDependencies): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const answers = new Counter({
    name: 'switchboard_http_answers_total',
    help: 'Answers by method, route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    answers.inc({ method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) });
  });
  new Gauge({
    name: 'switchboard_deliveries_waiting',
    help: `Deliveries that are not done, by status; ${MOST} stands for that many or more.`,
    labelNames: ['status'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const status of ['pending', 'retrying', 'held']) {
        const { rows } = await sql<{ count: string }>`
          select count(*) from (select 1 from deliveries where status = ${sql.lit(status)} limit ${MOST}) waiting`.execute(
          database.sql(),
        );
        this.set({ status }, Number(rows[0]?.count ?? 0));
      }
    },
  });
  new Gauge({
    name: 'switchboard_alarm',
    help: '1 while an operator has something to mend.',
    labelNames: ['name'] as const,
    registers: [registry],
    collect() {
      this.reset();
      for (const { name } of alarms.list()) this.set({ name }, 1);
    },
  });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
