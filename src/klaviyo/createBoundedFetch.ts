import { ProviderError } from '../oauth/Provider.js';

export type BoundedFetch = (url: string, init?: RequestInit) => Promise<Response>;

export interface BoundedFetchOptions {
  /** Maximum milliseconds of the whole exchange: connection, headers and body. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * Returns a `fetch` that limits the time and size of the whole response, follows no redirect, and returns a Response whose body
 * is in memory. It converts an `expires_in` that is a string to a number, the one deviation from RFC 6749 5.1 seen in practice.
 */
export function createBoundedFetch({ timeoutMs, maxBodyBytes }: BoundedFetchOptions): BoundedFetch {
  return async (url, init = {}) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([timeout, init.signal]) : timeout;
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    const body = await readBody(response, maxBodyBytes);
    return new Response(NO_BODY.has(response.status) ? null : withNumericExpiry(body), {
      status: response.status,
      headers: response.headers,
    });
  };
}

/** Statuses for which the Response constructor accepts no body. */
const NO_BODY = new Set([204, 205, 304]);

async function readBody(response: Response, maxBodyBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the stream, which closes the connection.
    if (size > maxBodyBytes) {
      throw new ProviderError(
        'transient',
        'provider_unavailable',
        `Klaviyo sent more than ${maxBodyBytes} bytes, which is no answer.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function withNumericExpiry(body: string): string {
  return body.replace(/("expires_in"\s*:\s*)"(\d{1,10})"/, '$1$2');
}
