import { type ErrorFacts, SwitchboardError } from '../domain/SwitchboardError.js';
import type { AccessDependencies } from './AccessDependencies.js';
import { countHit } from './countHit.js';

const WRONG =
  'The credentials are wrong, expired or revoked. Send "Authorization: Basic base64(publicKey:secretKey)" or "Authorization: Bearer <access token>".';

/** The error for credentials that are not good, whatever it is about them. */
export function wrongCredentials(facts?: ErrorFacts): SwitchboardError {
  return new SwitchboardError('UNAUTHENTICATED', WRONG, facts);
}

/**
 * Throws UNAUTHENTICATED for credentials that nobody has, or RATE_LIMITED when their address guesses too often.
 * Good credentials from that address still work: with 256-bit secrets the limit saves load, and nobody is to be locked
 * out by a neighbour behind the same proxy.
 */
export async function refuseCredentials(dependencies: AccessDependencies, address: string, facts?: ErrorFacts): Promise<never> {
  const limit = dependencies.limits.failedLoginsPerMinute;
  if (limit > 0) {
    const { hits, resetsInSeconds } = await countHit(dependencies, `login:${address}`);
    if (hits > limit) {
      throw new SwitchboardError(
        'RATE_LIMITED',
        `Too many failed log-ins from your address: more than ${limit} in a minute. Check the credentials, and try again in ${resetsInSeconds} s.`,
        { retryAfterSeconds: resetsInSeconds },
      );
    }
  }
  throw wrongCredentials(facts);
}
