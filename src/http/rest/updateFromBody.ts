import { findConnection } from '../../connections/findConnection.js';
import { updateConnection } from '../../connections/updateConnection.js';
import type { Caller } from '../../domain/Caller.js';
import type { Connection, ConnectionType } from '../../domain/Connection.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import type { GraphQLDependencies } from '../../graphql/GraphQLDependencies.js';
import { answerInputErrors } from './answerInputErrors.js';
import { bodyPointer } from './bodyPointer.js';
import { InvalidRequest } from './InvalidRequest.js';
import { type WebhookBody, webhookInput } from './webhookInput.js';

export interface UpdateConnectionBody {
  readonly type?: ConnectionType;
  readonly configuration?: WebhookBody;
}

/**
 * Updates a connection from a PATCH body, whose configuration means what the connection's type says (it never changes).
 * Throws NOT_FOUND or an InvalidRequest.
 */
export async function updateFromBody(
  dependencies: GraphQLDependencies,
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
