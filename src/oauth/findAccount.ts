import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../domain/Logger.js';
import type { Provider, ProviderAccount } from './Provider.js';
import { ProviderError } from './ProviderError.js';

/** A merchant is waiting at a browser: tries end after this long. */
const PATIENCE_MS = 8_000;
const PAUSE_MS = 500;

/**
 * Whose account a new grant is. Unlike the exchange this may be asked again: the accounts API allows one call a second,
 * which two merchants at once exceed. When it stays silent the answer is null, since the tokens are good all the same
 * and the code is spent; `storeGrant` decides whether an unknown account will do.
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
