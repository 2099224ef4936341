import { LockMode } from '@mikro-orm/core';
import type { Database, EntityManager } from '../database/Database.js';
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
    const missing = [...new Set([...credential.toldMissingScopes, scope])];
    await recordMissingScopes({ notices }, em, { connection, credential }, { missing, blocking: scope });
  });
}

/**
 * Notes which scopes a grant lacks, in the given transaction, which holds both locks. One that blocks deliveries makes an
 * ACTIVE connection REAUTHORIZATION_REQUIRED. The organization is told of each missing scope once, until it was there again.
 */
export async function recordMissingScopes(
  { notices }: { readonly notices: GrantNotices },
  em: EntityManager,
  { connection, credential }: { readonly connection: Connection; readonly credential: Credential },
  { missing, blocking }: { readonly missing: readonly string[]; readonly blocking: string | null },
): Promise<void> {
  const hasNews = missing.some((scope) => !credential.toldMissingScopes.includes(scope));
  const grantedScopes = credential.scopes.filter((scope) => !missing.includes(scope));
  em.assign(credential, { scopes: grantedScopes, toldMissingScopes: [...missing] });
  const blocks = blocking !== null && connection.status === 'active';
  if (blocks) {
    const statusReason = `The grant lacks the scope ${blocking}: connect again and allow it.`;
    em.assign(connection, { status: 'reauthorization_required', statusReason, updatedAt: new Date() });
  }
  await em.flush();
  if (blocks) await notices.reauthorizationRequired(em, connection);
  if (hasNews) await notices.scopesMissing(em, connection, { missingScopes: missing, grantedScopes });
}
