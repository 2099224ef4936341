import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { sql } from 'kysely';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { SwitchboardError } from '../domain/errors.js';
import { hashSecret, secretsEqual } from '../domain/secrets.js';
import { callerAddress } from './callerAddress.js';
import type { HealthDependencies } from './healthRoutes.js';
import { type FairTurns, takeTurn, turnOf } from './limits/FairTurns.js';

/** The largest count of waiting deliveries. An operator needs to know that it is large, not how large. */
const MOST = 100_000;

/** Milliseconds for which computed metrics are served again. */
const FRESH_MS = 5_000;

/**
 * Adds `GET /metrics` for Prometheus: the process, responses by route and status, waiting deliveries, and alarms. Metrics
 * are computed at most every 5 s. They are not public: a scraper sends the token as Bearer or, when no token is set, calls
 * from a private network without a proxy.
 */
export function metricsRoute(
  app: FastifyInstance,
  { database, alarms }: HealthDependencies,
  token: string | null,
  /** The turns of the API's callers. Null in a worker. */
  turns: FairTurns | null,
): void {
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
  new Gauge({
    name: 'switchboard_connection_checks',
    help: 'Linked connections by what the last check of their grant found.',
    labelNames: ['outcome'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      const { rows } = await sql<{ outcome: string; count: string }>`
        select last_check ->> 'outcome' as outcome, count(*) from credentials where last_check is not null group by 1`.execute(
        database.sql(),
      );
      for (const { outcome, count } of rows) this.set({ outcome }, Number(count));
    },
  });
  let computed: Promise<string> | undefined;
  let computedAt = Number.NEGATIVE_INFINITY;
  const metrics = (): Promise<string> => {
    if (computed && performance.now() - computedAt < FRESH_MS) return computed;
    computedAt = performance.now();
    computed = registry.metrics();
    // A failed computation is not served again.
    computed.catch(() => (computed = undefined));
    return computed;
  };
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (turns) await takeTurn(turns, turnOf(null, callerAddress(request)), request, reply);
  };
  app.get('/metrics', { onRequest }, async (request, reply) => {
    admit(request, token);
    return reply.type(registry.contentType).send(await metrics());
  });
}

const PRIVATE = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip'];

/** Checks a scraper. Throws UNAUTHENTICATED or FORBIDDEN. */
function admit({ headers, socket }: FastifyRequest, token: string | null): void {
  if (token !== null) {
    const given = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    if (secretsEqual(hashSecret(given), hashSecret(token))) return;
    throw new SwitchboardError('UNAUTHENTICATED', 'Send "Authorization: Bearer" and the METRICS_TOKEN of this server.');
  }
  const address = socket.remoteAddress ?? '';
  const isPrivate = ipaddr.isValid(address) && PRIVATE.has(ipaddr.process(address).range());
  if (isPrivate && !FORWARDED.some((name) => headers[name] !== undefined)) return;
  throw new SwitchboardError('FORBIDDEN', 'Metrics are for private networks only. An operator can set METRICS_TOKEN for others.');
}
