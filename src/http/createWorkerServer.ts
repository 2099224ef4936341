import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import type { Logger } from '../domain/Logger.js';
import { handleErrors, refuseWhileClosing } from './handleErrors.js';
import { type HealthDependencies, healthRoutes } from './healthRoutes.js';
import { metricsRoute } from './metricsRoute.js';

/** Creates the server of a process with ROLE=worker: health and metrics. */
export function createWorkerServer(dependencies: HealthDependencies, metricsToken: string | null, log: Logger): FastifyInstance {
  const app = Fastify({ logger: false, return503OnClosing: false });
  handleErrors(app, log);
  refuseWhileClosing(app);
  healthRoutes(app, dependencies);
  metricsRoute(app, dependencies, metricsToken, null);
  return app;
}
