import { LockMode } from '@mikro-orm/core';
import type { Database } from '../database/Database.js';
import { Connection, type KlaviyoConfiguration } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import type { GrantNotices } from './GrantNotices.js';

/**
 * The provider refuses a call for want of a scope. The grant itself lives, so its tokens stay; but only a new
 * authorization brings the scope: REAUTHORIZATION_REQUIRED, with the scope among `missingScopes`, and asked for from now on.
 */
export function declareScopeMissing(
  { database, notices }: { readonly database: Database; readonly notices: GrantNotices },
  connectionId: number,
  version: number,
  scope: string,
): Promise<void> {
  return database.transaction(async (em) => {
    const connection = await em.findOne(Connection, { id: connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (connection?.status !== 'active' || credential?.version !== version) return;
    const { scopes } = connection.configuration as KlaviyoConfiguration;
    if (!scopes.includes(scope)) connection.configuration = { scopes: [...scopes, scope] };
    credential.scopes = credential.scopes.filter((granted) => granted !== scope);
    const statusReason = `The grant lacks the scope ${scope}: connect again and allow it.`;
    em.assign(connection, { status: 'reauthorization_required', statusReason, updatedAt: new Date() });
    await em.flush();
    await notices.reauthorizationRequired(em, connection);
  });
}
