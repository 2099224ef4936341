import { ProviderError } from '../oauth/Provider.js';

export type BoundedFetch = (url: string, init?: RequestInit) => Promise<Response>;

export interface BoundedFetchOptions {
  /** For the whole exchange: connection, headers and body. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * A `fetch` that reads the whole answer within a time and a size, follows no redirect, and hands on a
 * Response whose body is in memory. Numbers that came as strings in `expires_in` are made numbers, which is
 * the one deviation from RFC 6749 5.1 seen in the field.
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

/** Statuses for which the Response constructor takes no body. */
const NO_BODY = new Set([204, 205, 304]);

async function readBody(response: Response, maxBodyBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the stream, and with it the connection.
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
