import type { FastifyInstance } from 'fastify';
import { createConnection } from '../../connections/createConnection.js';
import { deleteConnection } from '../../connections/deleteConnection.js';
import { findConnection, listConnections } from '../../connections/listConnections.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection } from '../../domain/Connection.js';
import { SwitchboardError } from '../../domain/errors.js';
import { startAuthorization } from '../../oauth/startAuthorization.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import { callerOf, operation, operationId } from './operation.js';
import { listAll, MAX_ROWS, presentConnections } from './present.js';
import type { RestConnectionType } from './RestPart.js';
import {
  commonErrors,
  type connectionSchemas,
  dataResponse,
  errorResponses,
  idParams,
  keyErrors,
  listOf,
  ref,
} from './schemas.js';
import { answerInputErrors, bodyPointer, InvalidRequest } from './validation.js';

interface CreateBody {
  readonly type: string;
  readonly configuration: object;
}

interface UpdateBody {
  readonly type?: string;
  readonly configuration?: object;
}

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

/** Adds the operations on connections, and the start of an authorization (OpenAPI, tags Connections and OAuth2). */
export function connectionRoutes(
  app: FastifyInstance,
  dependencies: UseCaseDependencies,
  connectionTypes: readonly RestConnectionType[],
  { createBody, updateBody, listQuery }: Omit<ReturnType<typeof connectionSchemas>, 'components'>,
): void {
  const linked = connectionTypes.filter(({ needsAuthorization }) => needsAuthorization).map(({ rest }) => rest.label);
  const types = new Map(connectionTypes.map((type) => [type.name, type]));
  const present = async (connection: Connection) => (await presentConnections(dependencies, types, [connection]))[0];
  app.post<{ Body: CreateBody }>(
    PATH,
    {
      schema: operation({
        ...describe('post-create_connection', 'Create a connection'),
        body: createBody,
        bodyName: 'connection-create-request',
        response: { 201: dataResponse('Created', ref('connection')), ...commonErrors, ...keyErrors },
      }),
    },
    async (request, reply) => {
      const { type, configuration } = request.body;
      const input = { type, ...inputOf(types, type, configuration) };
      const connection = await answerInputErrors({ configuration: ofType(types, type, configuration) }, () =>
        createConnection(dependencies, callerOf(request), input),
      );
      reply.code(201).header('location', `${request.url.split('?', 1)[0]}/${connection.id}`);
      return { data: await present(connection) };
    },
  );

  app.get<{ Querystring: { connection_type?: string } }>(
    PATH,
    {
      schema: operation({
        ...describe('get-list_connections', 'List connections'),
        description: `All of the organization's connections, newest first; the newest ${MAX_ROWS} if there are more.`,
        querystring: listQuery,
        response: { 200: dataResponse('OK', listOf('connection')), ...commonErrors },
      }),
    },
    async (request) => {
      const filter = { type: request.query.connection_type };
      const rows = await listAll((args) => listConnections(dependencies, callerOf(request), args, filter));
      return { data: await presentConnections(dependencies, types, rows) };
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

  app.patch<ById & { Body: UpdateBody }>(
    `${PATH}/:id`,
    {
      schema: operation({
        ...describe('patch-connection', 'Update a connection'),
        description:
          'Only what is given changes; the secrets of `auth_config` stay until they or `auth_type` change. A `url` of another origin needs `auth_config` and `extra_headers` again.',
        params,
        body: updateBody,
        bodyName: 'connection-update-request',
        response: { 200: dataResponse('OK', ref('connection')), ...commonErrors, ...notFound },
      }),
    },
    async (request) => {
      const connection = await updateFromBody(dependencies, types, callerOf(request), request.params.id, request.body);
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
        description: `Begins to link a merchant's ${linked.join(' or ')} account: send the browser to the URL within ten minutes.`,
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

type Types = ReadonlyMap<string, RestConnectionType>;

/** Returns the use cases' input for a body's configuration. */
function inputOf(types: Types, name: string, configuration: object | undefined) {
  return { configurations: { [name]: configuration && types.get(name)?.rest.toInput(configuration) } };
}

/** Returns the configuration with its type, as error messages need it. */
function ofType(types: Types, name: string, sent: object = {}) {
  const type = types.get(name);
  return type && { type, sent };
}

/**
 * Updates a connection from a PATCH body. The connection's type, which never changes, says how to read the configuration.
 * Throws NOT_FOUND or an InvalidRequest.
 */
async function updateFromBody(
  dependencies: UseCaseDependencies,
  types: Types,
  caller: Caller,
  id: string,
  { type, configuration }: UpdateBody,
): Promise<Connection> {
  const connection = await findConnection(dependencies, caller, id);
  if (!connection) throw new SwitchboardError('NOT_FOUND', 'There is no such connection.');
  if (type !== undefined && type !== connection.type) {
    throw refuse(`The type of a connection never changes: this is a ${connection.type} connection.`, 'type');
  }
  const own = types.get(connection.type)?.rest.updateFields ?? {};
  const foreign = Object.keys(configuration ?? {}).find((name) => !Object.hasOwn(own, name));
  if (foreign !== undefined) throw refuse(`A ${connection.type} connection has no "${foreign}".`, 'configuration', foreign);
  const input = { id, ...inputOf(types, connection.type, configuration) };
  return answerInputErrors({ fromPath: 'id', configuration: ofType(types, connection.type, configuration) }, () =>
    updateConnection(dependencies, caller, input),
  );
}

function refuse(detail: string, ...path: string[]): InvalidRequest {
  return new InvalidRequest([{ status: '400', code: 'invalid', detail, source: { pointer: bodyPointer(path) } }]);
}
