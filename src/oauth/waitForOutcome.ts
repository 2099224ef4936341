import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/Database.js';
import { Authorization } from '../domain/Authorization.js';
import type { CallbackOutcome } from './CallbackOutcome.js';
import { expireAuthorization } from './expireAuthorization.js';
import { recordOutcome } from './recordOutcome.js';

const POLL_MS = 100;
/** After this long, whoever took the state has crashed. */
export const INTERRUPTED_AFTER_MS = 60_000;

/**
 * Waits for the callback that took the state to finish, and reports its outcome: `in_progress` when there is none by the
 * deadline (of `performance.now()`). Never exchanges anything.
 */
export async function waitForOutcome(
  { database }: { database: Database },
  { id }: Authorization,
  deadline: number,
): Promise<CallbackOutcome> {
  for (;;) {
    const authorization = await database.em().findOneOrFail(Authorization, id);
    if (authorization.status !== 'pending') return { kind: authorization.status, authorization };
    // Nobody has it, and yet it could not be taken: by the database's clock it is over.
    if (!authorization.consumedAt) return { kind: 'expired', authorization: await expireAuthorization({ database }, id) };
    if (authorization.consumedAt.getTime() < Date.now() - INTERRUPTED_AFTER_MS) {
      return { kind: 'failed', authorization: await recordInterruption({ database }, authorization) };
    }
    if (performance.now() + POLL_MS > deadline) return { kind: 'in_progress', authorization };
    await sleep(POLL_MS);
  }
}

/** The server stopped between taking the state and storing the tokens; the code is spent, so a new attempt is needed. */
export function recordInterruption(dependencies: { database: Database }, authorization: Authorization): Promise<Authorization> {
  const errorDescription = 'The server was stopped while it exchanged the code.';
  const outcome = { status: 'failed', errorCode: 'interrupted', errorDescription } as const;
  return recordOutcome(dependencies, authorization, outcome, authorization.provider);
}
