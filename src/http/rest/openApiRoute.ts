import type { FastifyInstance, RouteOptions } from 'fastify';
import { ORGANIZATION_HEADER } from '../../access/platform.js';
import { MAX_EXTERNAL_ID } from '../../domain/Metadata.js';
import { idempotencyKeyParameter } from './idempotencyKey.js';
import type { OperationSchema } from './operation.js';
import { errorSchemas, parcelSchemas, parcelWebhook, ref, subscriptionSchemas } from './schemas.js';

interface OpenApiOptions {
  /** The path prefix of the described routes, which is the server in the document. */
  readonly base: string;
  readonly publicUrl: string;
  /** Event types that can be subscribed to over REST. */
  readonly eventTypes: readonly string[];
  /** Schemas of connections, by name. */
  readonly connectionSchemas: Readonly<Record<string, object>>;
}

/**
 * Adds `GET /openapi.json`, which describes the routes that are added to this scope later (OpenAPI 3.1), by the schemas that
 * validate them.
 */
export function openApiRoute(app: FastifyInstance, { base, publicUrl, eventTypes, connectionSchemas }: OpenApiOptions): void {
  const paths: Record<string, Record<string, object>> = {};
  app.addHook('onRoute', (route) => {
    if (route.method === 'HEAD' || !route.url.startsWith(base)) return;
    const path = route.url.slice(base.length).replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [String(route.method).toLowerCase()]: describeOperation(route) };
  });
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Switchboard: Event Subscriptions API',
      version: '3.0.0',
      description:
        'Connections say where events go, subscriptions say which ones. Everything is scoped to the organization that calls.',
      license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0.html' },
    },
    servers: [{ url: `${publicUrl}${base}` }],
    tags: ['Connections', 'Subscriptions', 'OAuth2', 'Broadcast', 'Events'].map((name) => ({ name })),
    paths,
    webhooks: { ParcelEventCreated: parcelWebhook },
    components: {
      schemas: { ...connectionSchemas, ...subscriptionSchemas(eventTypes), ...errorSchemas, ...parcelSchemas },
      securitySchemes: {
        HTTPBasicAuth: { type: 'http', scheme: 'basic', description: 'Public key as user name, secret key as password.' },
        OAuth2ClientCreds: {
          type: 'oauth2',
          description: 'An access token for the same keys (RFC 6749 4.4), sent as `Authorization: Bearer`.',
          flows: {
            clientCredentials: { tokenUrl: `${publicUrl}/oauth2/token`, scopes: { api: 'Everything that the key may do.' } },
          },
        },
      },
    },
  };
  app.get('/openapi.json', async () => document);
}

const organizationParameter = {
  name: ORGANIZATION_HEADER,
  in: 'header',
  required: false,
  description: 'For the key of a platform: the externalId or the id of the organization that it acts for.',
  schema: { type: 'string', minLength: 1, maxLength: MAX_EXTERNAL_ID },
};

function describeOperation(route: RouteOptions): object {
  const { operationId, summary, description, tags, params, querystring, bodyName, response } =
    route.schema as unknown as OperationSchema;
  const parameters = [
    ...describeParameters(params, 'path'),
    ...describeParameters(querystring, 'query'),
    ...(route.method === 'POST' ? [idempotencyKeyParameter] : []),
    organizationParameter,
  ];
  return {
    operationId,
    summary,
    ...(description ? { description } : {}),
    tags,
    security: [{ HTTPBasicAuth: [] }, { OAuth2ClientCreds: [] }],
    parameters,
    ...(bodyName ? { requestBody: { required: true, content: { 'application/json': { schema: ref(bodyName) } } } } : {}),
    responses: response,
  };
}

function describeParameters(part: OperationSchema['params'], place: 'path' | 'query'): object[] {
  return Object.entries(part?.properties ?? {}).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string };
    return { name, in: place, required: place === 'path', description, schema };
  });
}
