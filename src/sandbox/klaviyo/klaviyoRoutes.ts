import type { FastifyInstance } from 'fastify';
import { accountEndpoints } from './api/accountEndpoints.js';
import { apiRoute, unknownPaths } from './api/apiRoute.js';
import { bulkEventsEndpoint } from './api/bulkEventsEndpoint.js';
import { eventsEndpoint } from './api/eventsEndpoint.js';
import { readEndpoints } from './api/readEndpoints.js';
import { controlRoutes } from './control/controlRoutes.js';
import type { KlaviyoControl } from './control/klaviyoControl.js';
import type { KlaviyoContext } from './klaviyoContext.js';
import { authorizeRoutes } from './oauth/authorizeRoutes.js';
import { revokeRoute } from './oauth/revokeRoute.js';
import { tokenRoute } from './oauth/tokenRoute.js';

/** All of Klaviyo: OAuth, the API, and the page from which a person commands it. */
export function klaviyoRoutes(app: FastifyInstance, context: KlaviyoContext, control: KlaviyoControl): void {
  authorizeRoutes(app, context);
  tokenRoute(app, context);
  revokeRoute(app, context);
  const endpoints = [
    ...accountEndpoints(context),
    eventsEndpoint(context),
    bulkEventsEndpoint(context),
    ...readEndpoints(context),
  ];
  for (const endpoint of endpoints) apiRoute(app, context, endpoint);
  unknownPaths(app, endpoints);
  controlRoutes(app, control, context.options);
}
