import type { Cipher } from '../database/Cipher.js';
import { columnIdentity } from '../database/columnIdentity.js';
import type { Database } from '../database/Database.js';
import type { Authorization } from '../domain/Authorization.js';
import type { Logger } from '../domain/Logger.js';
import type { CallbackOutcome } from './CallbackOutcome.js';
import { findAccount } from './findAccount.js';
import type { GrantNotices } from './GrantNotices.js';
import type { Provider } from './Provider.js';
import { ProviderError } from './ProviderError.js';
import type { Revocations } from './Revocations.js';
import { type FailedOutcome, recordOutcome } from './recordOutcome.js';
import { storeGrant } from './storeGrant.js';

export interface ExchangeDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly revocations: Revocations;
  readonly notices: GrantNotices;
  readonly log: Logger;
}

/**
 * Exchanges the code (RFC 6749 4.1.3, RFC 7636 4.5), once and without retry since a code works once, asks whose
 * account it is, and stores the grant. Whatever goes wrong ends up on the attempt, where the merchant can see it.
 */
export async function exchangeCode(
  dependencies: ExchangeDependencies,
  provider: Provider,
  authorization: Authorization,
  code: string,
): Promise<CallbackOutcome> {
  const { cipher, log } = dependencies;
  try {
    const codeVerifier = cipher.decrypt(authorization.codeVerifier ?? '', columnIdentity.codeVerifier(authorization.id));
    const tokens = await provider.exchange({ code, codeVerifier, redirectUri: authorization.redirectUri });
    const account = await findAccount(dependencies, provider, tokens.accessToken);
    return await storeGrant(dependencies, provider, authorization, tokens, account);
  } catch (error) {
    const failure = error instanceof ProviderError ? error : null;
    if (!failure) {
      log.error({ authorizationId: authorization.id, error: String(error) }, 'Completing an authorization failed unexpectedly');
    }
    const outcome: FailedOutcome = {
      status: 'failed',
      errorCode: failure?.code ?? 'internal_error',
      errorDescription: failure?.message ?? 'The server could not complete the authorization.',
    };
    return { kind: 'failed', authorization: await recordOutcome(dependencies, authorization, outcome, provider.name) };
  }
}
