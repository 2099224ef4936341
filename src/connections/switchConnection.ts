import type { EntityManager } from '../database/Database.js';
import type { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';

/** Turns a connection off, or a disabled one on again: a webhook at once, Klaviyo as far as its grant goes. */
export async function switchConnection(em: EntityManager, connection: Connection, isEnabled: boolean): Promise<void> {
  if (!isEnabled) {
    em.assign(connection, { status: 'disabled', statusReason: 'It was turned off.' });
    return;
  }
  if (connection.status !== 'disabled') return;
  const credential = connection.type === 'webhook' ? null : await em.findOne(Credential, { connectionId: connection.id });
  const ready = connection.type === 'webhook' || Boolean(credential?.accessToken);
  em.assign(
    connection,
    ready
      ? { status: 'active', statusReason: null }
      : { status: 'pending_authorization', statusReason: 'It has to be authorized first.' },
  );
}
