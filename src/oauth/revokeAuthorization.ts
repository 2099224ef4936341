import { LockMode } from '@mikro-orm/core';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import type { JobQueue, Jobs } from '../database/Jobs.js';
import { lockConnection } from '../database/lockConnection.js';
import { newId } from '../database/newId.js';
import type { Caller } from '../domain/Caller.js';
import type { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { InputError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import type { Providers } from './Provider.js';
import { supersedeAuthorizations } from './startAuthorization.js';

interface Dependencies extends ReleaseGrantDependencies {
  readonly database: Database;
  readonly providers: Providers;
}

/**
 * Revokes a merchant's grant: the tokens are erased here at once and revoked at the provider in the background. The
 * connection and its subscriptions stay, and wait for a new authorization. An exchange that is under way fails. Throws an
 * InputError: NOT_FOUND, INVALID (not an OAuth connection).
 */
export function revokeAuthorization(
  dependencies: Dependencies,
  caller: Caller,
  input: { connectionId: string },
): Promise<Connection> {
  return dependencies.database.transaction(async (em) => {
    const connection = await lockConnection(em, caller, input.connectionId, 'connectionId');
    if (!dependencies.providers.has(connection.type)) {
      throw InputError.of('INVALID', `A ${connection.type} connection has no authorization to revoke.`, 'connectionId');
    }
    const now = new Date();
    await supersedeAuthorizations(em, connection.id, { underWayToo: true });
    await releaseGrant(dependencies, em, connection.id);
    // A new check then reports that there is no grant, instead of a recent result.
    await em.nativeUpdate(
      Credential,
      { connectionId: connection.id },
      { lastCheck: null, checkLeasedBy: null, checkLeasedUntil: null },
    );
    em.assign(connection, {
      status: 'pending_authorization',
      statusReason: 'The authorization was revoked.',
      statusReasonCode: 'authorization_revoked',
      updatedAt: now,
    });
    await em.flush();
    await recordAudit(em, caller, { action: 'authorization_revoked', subject: ['connection', connection.id] });
    return connection;
  });
}

interface ReleaseGrantDependencies {
  readonly cipher: Cipher;
  readonly revocations: Revocations;
}

/**
 * Seconds by which the revocation of an unexpected account's grant is delayed. A revocation removes the app from the whole
 * account, and the merchant may authorize the same account again at once, on purpose. Then the account is in use, and
 * nothing is revoked.
 */
export const SECOND_THOUGHTS_SECONDS = 60;

/**
 * Erases a connection's tokens and queues their revocation, in the given transaction. The credential keeps the account's id,
 * so that the next authorization can tell another account from the same one.
 */
export async function releaseGrant(
  { cipher, revocations }: ReleaseGrantDependencies,
  em: EntityManager,
  connectionId: number,
  /** Facts that the caller knows better than the credential: the account of the grant, and how long to wait first. */
  known: Partial<Pick<Revocation, 'accountId' | 'afterSeconds'>> = {},
): Promise<void> {
  const credential = await em.findOne(Credential, { connectionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!credential?.accessToken) return;
  const { provider, accountId = null, accessToken, refreshToken } = credential;
  const token = refreshToken
    ? ({ token: cipher.decrypt(refreshToken, columnIdentity.refreshToken(connectionId)), hint: 'refresh_token' } as const)
    : ({ token: cipher.decrypt(accessToken, columnIdentity.accessToken(connectionId)), hint: 'access_token' } as const);
  await revocations.add(em, { provider, accountId, ...token, ...known });
  em.assign(credential, {
    accessToken: null,
    refreshToken: null,
    scopes: [],
    refreshProblem: null,
    version: credential.version + 1,
  });
}

/** A token to revoke at its provider (RFC 7009). */
export interface Revocation {
  readonly provider: string;
  readonly token: string;
  readonly hint: 'access_token' | 'refresh_token';
  /** The provider's account. Nothing is revoked while another connection uses a grant of the same account. */
  readonly accountId: string | null;
  /** Seconds to wait first, when the same account may soon be linked again. None by default. */
  readonly afterSeconds?: number;
}

/** Revokes in the background, with bounded retries. */
export interface Revocations {
  /** Adds the job in the given transaction, so that it exists only when the transaction commits. */
  add(em: EntityManager, revocation: Revocation): Promise<void>;
}

const QUEUE = 'revoke-grant';

interface RevocationJob extends Omit<Revocation, 'token'> {
  readonly encryptedToken: string;
}

interface RevocationDependencies {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'add' | 'unfinished'>;
  readonly cipher: Cipher;
  readonly providers: Providers;
  readonly log: Logger;
}

/** Creates the queue of revocations and its worker: up to 8 tries within about two hours. */
export function createRevocations({ database, jobs, cipher, providers, log }: RevocationDependencies): {
  revocations: Revocations;
  queue: JobQueue<RevocationJob>;
  /** Returns the ciphertexts of the queued jobs. */
  waitingCiphertexts: () => Promise<string[]>;
} {
  const revocations: Revocations = {
    async add(em, { token, afterSeconds, ...rest }) {
      const id = newId();
      const encryptedToken = cipher.encrypt(token, columnIdentity.revokedToken(id));
      await jobs.add<RevocationJob>(em, QUEUE, id, { ...rest, encryptedToken }, afterSeconds);
    },
  };

  const work = async (job: RevocationJob, { id }: { id: string }): Promise<void> => {
    const provider = providers.get(job.provider);
    if (!provider) return;
    if (await isShared(database, job)) {
      log.info({ provider: job.provider }, 'A grant was not revoked: another connection lives on the same account');
      return;
    }
    await provider.revoke(cipher.decrypt(job.encryptedToken, columnIdentity.revokedToken(id)), job.hint);
  };
  return {
    revocations,
    queue: { name: QUEUE, retryLimit: 7, retryDelaySeconds: 30, work },
    waitingCiphertexts: async () => (await jobs.unfinished<RevocationJob>(QUEUE)).map(({ encryptedToken }) => encryptedToken),
  };
}

/** Returns whether another connection uses the same account. Grants belong to the account, so revoking one ends them all. */
async function isShared(database: Database, { provider, accountId }: RevocationJob): Promise<boolean> {
  if (accountId === null) return false;
  return (await database.em().findOne(Credential, { provider, accountId, accessToken: { $ne: null } })) !== null;
}
