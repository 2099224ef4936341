import type { RequestCount } from '../../access/countRequest.js';

/** What a client needs in order to slow down by itself (draft-ietf-httpapi-ratelimit-headers-03, which is what clients know). */
export function rateLimitHeaders({ limit, remaining, resetsInSeconds }: RequestCount): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(Math.max(0, remaining)),
    'ratelimit-reset': String(resetsInSeconds),
  };
}
