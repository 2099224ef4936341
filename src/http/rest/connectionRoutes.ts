import type { FastifyInstance } from 'fastify';
import type { WebhookInput } from '../../connections/checkConfiguration.js';
import { createConnection } from '../../connections/createConnection.js';
import { deleteConnection } from '../../connections/deleteConnection.js';
import { findConnection, listConnections } from '../../connections/listConnections.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection, ConnectionType, WebhookAuthType } from '../../domain/Connection.js';
import { SwitchboardError } from '../../domain/errors.js';
import { startAuthorization } from '../../oauth/startAuthorization.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import { callerOf, operation, operationId } from './operation.js';
import { listAll, MAX_ROWS, presentConnections } from './present.js';
import {
  commonErrors,
  createConnectionBody,
  dataResponse,
  errorResponses,
  idParams,
  keyErrors,
  listConnectionsQuery,
  listOf,
  ref,
  updateConnectionBody,
} from './schemas.js';
import { answerInputErrors, bodyPointer, InvalidRequest } from './validation.js';

type CreateBody = { readonly type: 'webhook'; readonly configuration: WebhookBody } | { readonly type: 'klaviyo' };
interface ById {
  Params: { id: string };
}

const PATH = '/connections';
const params = idParams('id', 'The id of the connection.');
const notFound = errorResponses('NOT_FOUND');
const describe = (name: string, summary: string, tag = 'Connections') => ({
  operationId: operationId(name),
  summary,
  tags: [tag],
});

/** The operations on connections, and the start of an authorization (OpenAPI, tags Connections and OAuth2). */
export function connectionRoutes(app: FastifyInstance, dependencies: UseCaseDependencies): void {
  const present = async (connection: Connection) => (await presentConnections(dependencies, [connection]))[0];
  app.post<{ Body: CreateBody }>(
    PATH,
    {
      schema: operation({
        ...describe('post-create_connection', 'Create a connection'),
        body: createConnectionBody,
        bodyName: 'connection-create-request',
        response: { 201: dataResponse('Created', ref('connection')), ...commonErrors, ...keyErrors },
      }),
    },
    async (request, reply) => {
      const { body } = request;
      const webhook = body.type === 'webhook' ? webhookInput(body.configuration) : undefined;
      const headerNames = webhook?.extraHeaders?.map(({ name }) => name);
      const connection = await answerInputErrors({ headerNames }, () =>
        createConnection(dependencies, callerOf(request), { type: body.type, webhook }),
      );
      reply.code(201).header('location', `${request.url.split('?', 1)[0]}/${connection.id}`);
      return { data: await present(connection) };
    },
  );

  app.get<{ Querystring: { connection_type?: ConnectionType } }>(
    PATH,
    {
      schema: operation({
        ...describe('get-list_connections', 'List connections'),
        description: `All of the organization's connections, newest first; the newest ${MAX_ROWS} if there are more.`,
        querystring: listConnectionsQuery,
        response: { 200: dataResponse('OK', listOf('connection')), ...commonErrors },
      }),
    },
    async (request) => {
      const filter = { type: request.query.connection_type };
      const rows = await listAll((args) => listConnections(dependencies, callerOf(request), args, filter));
      return { data: await presentConnections(dependencies, rows) };
    },
  );

  app.get<ById>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('get-connection', 'Get a connection'),
        params,
        response: { 200: dataResponse('OK', ref('connection')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const connection = await findConnection(dependencies, callerOf(request), request.params.id);
      if (!connection) throw new SwitchboardError('NOT_FOUND', 'There is no such connection.');
      return { data: await present(connection) };
    },
  );

  app.patch<ById & { Body: UpdateConnectionBody }>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('patch-connection', 'Update a connection'),
        description:
          'Only what is given changes; the secrets of `auth_config` stay until they or `auth_type` change. A `url` of another origin needs `auth_config` and `extra_headers` again.',
        params,
        body: updateConnectionBody,
        bodyName: 'connection-update-request',
        response: { 200: dataResponse('OK', ref('connection')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const connection = await updateFromBody(dependencies, callerOf(request), request.params.id, request.body);
      return { data: await present(connection) };
    },
  );

  app.delete<ById>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('delete-connection', 'Delete a connection'),
        description: 'Deletes it with its subscriptions; what they still had to deliver is cancelled.',
        params,
        response: { 204: { description: 'No Content' }, ...commonErrors, ...notFound },
      }),
    },
    async (request, reply) => {
      const { id } = request.params;
      await answerInputErrors({ fromPath: 'id' }, () => deleteConnection(dependencies, callerOf(request), { id }));
      return reply.code(204).send();
    },
  );

  app.post<ById>(
    `${PATH}/:id/authorization`,
    {
      schema: operation({
        ...describe('post-start_authorization', 'Start OAuth2 authorization', 'OAuth2'),
        description: "Begins to link a merchant's Klaviyo account: send the browser to the URL within ten minutes.",
        params,
        response: {
          200: dataResponse('OK', ref('connection-authorization-response')),
          ...commonErrors,
          ...notFound,
          ...keyErrors,
        },
      }),
    },
    async (request) => {
      const connectionId = request.params.id;
      const { authorizationUrl } = await answerInputErrors({ fromPath: 'connectionId' }, () =>
        startAuthorization(dependencies, callerOf(request), { connectionId }),
      );
      return { data: { authorization_url: authorizationUrl } };
    },
  );
}

/** A webhook's configuration in a body, checked by its schema. */
interface WebhookBody {
  readonly url?: string;
  readonly auth_type?: WebhookAuthType;
  readonly auth_config?: Partial<Record<'token' | 'username' | 'password' | 'header_name' | 'api_key', string>>;
  readonly extra_headers?: Readonly<Record<string, string>>;
}

/** The same for the use cases. */
function webhookInput({ url, auth_type, auth_config, extra_headers }: WebhookBody): WebhookInput {
  return {
    url,
    authType: auth_type,
    authConfig: auth_config && {
      token: auth_config.token,
      username: auth_config.username,
      password: auth_config.password,
      headerName: auth_config.header_name,
      apiKey: auth_config.api_key,
    },
    extraHeaders: extra_headers && Object.entries(extra_headers).map(([name, value]) => ({ name, value })),
  };
}

interface UpdateConnectionBody {
  readonly type?: ConnectionType;
  readonly configuration?: WebhookBody;
}

/**
 * Updates a connection from a PATCH body, whose configuration means what the connection's type says (it never changes).
 * Throws NOT_FOUND or an InvalidRequest.
 */
async function updateFromBody(
  dependencies: UseCaseDependencies,
  caller: Caller,
  id: string,
  { type, configuration }: UpdateConnectionBody,
): Promise<Connection> {
  const connection = await findConnection(dependencies, caller, id);
  if (!connection) throw new SwitchboardError('NOT_FOUND', 'There is no such connection.');
  if (type !== undefined && type !== connection.type) {
    throw refuse(`The type of a connection never changes: this is a ${connection.type} connection.`, 'type');
  }
  const [foreign] = connection.type === 'klaviyo' ? Object.keys(configuration ?? {}) : [];
  if (foreign !== undefined) throw refuse(`A klaviyo connection has no "${foreign}".`, 'configuration', foreign);
  const webhook = connection.type === 'webhook' && configuration ? webhookInput(configuration) : undefined;
  const headerNames = webhook?.extraHeaders?.map(({ name }) => name);
  return answerInputErrors({ fromPath: 'id', headerNames }, () => updateConnection(dependencies, caller, { id, webhook }));
}

function refuse(detail: string, ...path: string[]): InvalidRequest {
  return new InvalidRequest([{ status: '400', code: 'invalid', detail, source: { pointer: bodyPointer(path) } }]);
}
