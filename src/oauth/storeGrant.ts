import { setTimeout as sleep } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import type { Logger } from '../domain/Logger.js';
import { nextCheckAt } from './checkConnection.js';
import type { GrantNotices } from './GrantNotices.js';
import { type Provider, type ProviderAccount, ProviderError, type TokenSet } from './Provider.js';
import { type Revocation, type Revocations, releaseGrant, SECOND_THOUGHTS_SECONDS } from './revokeAuthorization.js';

/**
 * Stores tokens, granted scopes, account and outcome, and makes the connection ACTIVE, in one transaction. A grant that may
 * not be stored is revoked: the connection was deleted or revoked meanwhile, or the account is a different one.
 */
export function storeGrant(
  { database, cipher, revocations, notices }: StoreDependencies,
  provider: Provider,
  { id, connectionId }: Authorization,
  tokens: TokenSet,
  account: ProviderAccount | null,
): Promise<StoredOutcome> {
  return database.transaction(async (em): Promise<StoredOutcome> => {
    // All code locks the connection first and the authorization second. A deletion locks them in this order too.
    const connection = await lockConnection(em, connectionId);
    const authorization = await em.findOneOrFail(Authorization, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const credential =
      connection && (await em.findOne(Credential, { connectionId: connection.id }, { lockMode: LockMode.PESSIMISTIC_WRITE }));
    // The grant was revoked while its code was being exchanged.
    if (authorization.status === 'superseded') {
      await revocations.add(em, revocationOf(provider, tokens, account));
      return { kind: 'superseded', authorization };
    }
    const now = new Date();
    em.assign(authorization, { codeVerifier: null, completedAt: now, accountName: account?.name ?? null });

    const refusal = whyNot(connection, credential, authorization, provider, account);
    if (!connection || refusal) {
      em.assign(authorization, { status: 'failed', ...refusal });
      // A revocation removes the app from the whole account, which may be the connection's own.
      if (refusal?.errorCode !== 'account_unknown') {
        const afterSeconds = refusal?.errorCode === 'account_mismatch' ? SECOND_THOUGHTS_SECONDS : 0;
        await revocations.add(em, { ...revocationOf(provider, tokens, account), afterSeconds });
      }
      await em.flush();
      return { kind: 'failed', authorization };
    }

    // No connection would use the previous account's grant any more.
    const accountChanges = Boolean(credential?.accountId && account && account.id !== credential.accountId);
    if (accountChanges) await releaseGrant({ cipher, revocations }, em, connection.id);
    const scopes = [...(tokens.scopes ?? authorization.scopes)];
    const values = {
      provider: provider.id,
      accessToken: cipher.encrypt(tokens.accessToken, columnIdentity.accessToken(connection.id)),
      refreshToken: tokens.refreshToken
        ? cipher.encrypt(tokens.refreshToken, columnIdentity.refreshToken(connection.id))
        : (credential?.refreshToken ?? null),
      scopes,
      accountId: account?.id ?? null,
      accountName: account?.name ?? null,
      accountTimezone: account?.timezone ?? null,
      expiresAt: new Date(now.getTime() + tokens.expiresInSeconds * 1000),
      lifetimeSeconds: tokens.expiresInSeconds,
      lastRefreshedAt: null,
      refreshProblem: null,
      refreshLeasedBy: null,
      refreshLeasedUntil: null,
      // Results about the previous grant do not apply to this one.
      lastCheck: null,
      checkLeasedBy: null,
      checkLeasedUntil: null,
      nextCheckAt: nextCheckAt(now),
      toldMissingScopes: authorization.scopes.filter((scope) => !scopes.includes(scope)),
    };
    if (credential) em.assign(credential, { ...values, version: credential.version + 1 });
    else em.create(Credential, { ...values, connectionId: connection.id, version: 1, createdAt: now });
    em.assign(connection, { status: 'active', statusReason: null, statusReasonCode: null, updatedAt: now });
    authorization.status = 'completed';
    await em.flush();
    // Failures under the previous grant do not count for this one.
    await sql`select begin_connection_anew(${connection.id})`.execute(em.getKysely());
    const missingScopes = values.toldMissingScopes;
    await recordAudit(
      em,
      { merchantOf: connection.organizationId },
      {
        action: 'authorization_completed',
        subject: ['connection', connection.id],
        after: { authorizationId: authorization.id, account: account?.name ?? null, scopes },
      },
    );
    await notices.authorizationCompleted(em, connection, { account, grantedScopes: scopes, missingScopes });
    return { kind: 'completed', authorization };
  });
}

/** The outcome of a grant, as its authorization stores it. */
interface StoredOutcome {
  readonly kind: 'completed' | 'failed' | 'superseded';
  readonly authorization: Authorization;
}

export interface StoreDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly revocations: Revocations;
  readonly notices: GrantNotices;
}

function lockConnection(em: EntityManager, id: number | null | undefined): Promise<Connection | null> {
  return id ? em.findOne(Connection, id, { lockMode: LockMode.PESSIMISTIC_WRITE }) : Promise.resolve(null);
}

/** Returns the revocation of a grant. */
export function revocationOf(provider: Provider, tokens: TokenSet, account: ProviderAccount | null): Revocation {
  const accountId = account?.id ?? null;
  return tokens.refreshToken
    ? { provider: provider.id, token: tokens.refreshToken, hint: 'refresh_token', accountId }
    : { provider: provider.id, token: tokens.accessToken, hint: 'access_token', accountId };
}

function whyNot(
  connection: Connection | null,
  credential: Credential | null,
  { allowAccountChange }: Authorization,
  provider: Provider,
  account: ProviderAccount | null,
): { errorCode: string; errorDescription: string } | null {
  if (!connection) {
    return { errorCode: 'connection_deleted', errorDescription: 'The connection was deleted in the meantime.' };
  }
  if (!credential?.accountId || allowAccountChange) return null;
  if (!account) {
    return {
      errorCode: 'account_unknown',
      errorDescription: `${provider.name} did not say which account this is, and the connection belongs to one already.`,
    };
  }
  if (account.id !== credential.accountId) {
    return {
      errorCode: 'account_mismatch',
      errorDescription: `This is another ${provider.name} account (${account.name ?? account.id}) than the connection belongs to (${credential.accountName ?? credential.accountId}).`,
    };
  }
  return null;
}

/** Milliseconds after which tries end, because a merchant is waiting at a browser. */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 500;

/**
 * Returns the account of a new grant. Unlike the exchange, this is retried, because the accounts API allows one call a
 * second and two merchants may come at once. Returns null when no try succeeds: the tokens are valid and the code is used
 * up. `storeGrant` decides whether to accept an unknown account.
 */
export async function findAccount(
  { log }: { log: Logger },
  provider: Provider,
  accessToken: string,
): Promise<ProviderAccount | null> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await provider.account(accessToken);
    } catch (error) {
      const failure = error instanceof ProviderError ? error : null;
      const pauseMs = (failure?.retryAfterSeconds ?? 0) * 1000 || PAUSE_MS;
      if (failure?.kind !== 'transient' || Date.now() + pauseMs > deadline) {
        log.warn({ provider: provider.id, code: failure?.code ?? String(error) }, 'The account of a new grant could not be read');
        return null;
      }
      await sleep(pauseMs);
    }
  }
}
