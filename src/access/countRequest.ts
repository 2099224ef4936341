import type { Caller } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/SwitchboardError.js';
import type { AccessDependencies } from './AccessDependencies.js';
import { countHit } from './countHit.js';

/** Tokens are counted by key: whoever asks for too many takes nothing from the organization's other keys. */
export type RequestKind = 'read' | 'write' | 'token';

/** How an organization stands with its limit after a request. */
export interface RequestCount {
  readonly limit: number;
  /** In this minute, after this one; negative for those that are too many. */
  readonly remaining: number;
  readonly resetsInSeconds: number;
}

/** Counts a request of an organization, reads and writes apart, or a token of a key; null when there is no limit. */
export async function countRequest(
  dependencies: AccessDependencies,
  { organizationId, apiKeyId }: Caller,
  kind: RequestKind,
): Promise<RequestCount | null> {
  const limit = dependencies.limits.requestsPerMinute;
  if (limit === 0) return null;
  const { hits, resetsInSeconds } = await countHit(
    dependencies,
    kind === 'token' ? `token:key:${apiKeyId}` : `${kind}:${organizationId}`,
  );
  return { limit, remaining: limit - hits, resetsInSeconds };
}

/** Throws RATE_LIMITED when it was one too many. */
export function refuseTooMany({ limit, remaining, resetsInSeconds }: RequestCount, kind: RequestKind): void {
  if (remaining >= 0) return;
  throw new SwitchboardError(
    'RATE_LIMITED',
    kind === 'token'
      ? `This key may ask for a token ${limit} times a minute. Keep a token until it ends. Try again in ${resetsInSeconds} s.`
      : `Your organization may ${kind} ${limit} times a minute. Try again in ${resetsInSeconds} s.`,
    { retryAfterSeconds: resetsInSeconds },
  );
}
