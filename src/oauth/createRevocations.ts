import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { Database } from '../database/Database.js';
import type { JobQueue, Jobs } from '../database/Jobs.js';
import { newId } from '../database/newId.js';
import type { Logger } from '../domain/Logger.js';
import type { Provider } from './Provider.js';
import type { Revocation, Revocations } from './Revocations.js';

const QUEUE = 'revoke-grant';

interface RevocationJob extends Omit<Revocation, 'token'> {
  readonly encryptedToken: string;
}

interface Dependencies {
  readonly database: Database;
  readonly jobs: Pick<Jobs, 'add' | 'unfinished'>;
  readonly cipher: Cipher;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly log: Logger;
}

/** The queue of grants to hand back, and the work on it: up to 8 tries within about two hours. */
export function createRevocations({ database, jobs, cipher, providers, log }: Dependencies): {
  revocations: Revocations;
  queue: JobQueue<RevocationJob>;
  /** The ciphertexts that wait in the queue. */
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

/** Grants belong to the account, not to the connection: revoking one ends them all. */
async function isShared(database: Database, { provider, accountId }: RevocationJob): Promise<boolean> {
  if (accountId === null) return false;
  const other = await database
    .sql()
    .selectFrom('credentials')
    .select('connection_id')
    .where('provider', '=', provider)
    .where('account_id', '=', accountId)
    .where('access_token', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
