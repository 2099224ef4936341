import type { AttemptReport, DeliveryResult } from '../delivery/Destination.js';
import { DELIVERY_SCOPE } from './klaviyoScopes.js';

/** The engine keeps at most this much of an answer. */
const MAX_BODY = 16_384;
/** When a 429 does not say how long. */
const THROTTLE_PAUSE_SECONDS = 1;

/** A scope's name within a sentence of Klaviyo's. */
const NAMED_SCOPE = /\b[a-z]+(?:-[a-z]+)*:(?:read|write)\b/;

/** What an answer means; with the scope that Klaviyo wants when the grant lacks one. */
export type EventAnswer = DeliveryResult & { readonly missingScope?: string };

interface JsonApiError {
  readonly code: string | null;
  readonly detail: string | null;
}

/**
 * What Klaviyo's answer to `POST /api/events` means for the delivery. A body that is not JSON never condemns anything.
 * @param startedAt `performance.now()` when the attempt began.
 */
export async function readEventAnswer(response: Response, startedAt: number): Promise<EventAnswer> {
  const body = (await response.text()).slice(0, MAX_BODY);
  const { status } = response;
  const report = (error: AttemptReport['error']): AttemptReport => ({
    durationMs: Math.round(performance.now() - startedAt),
    statusCode: status,
    responseBody: body,
    error,
  });
  if (status >= 200 && status < 300) return { kind: 'delivered', attempt: report(null) };
  const retryAfterMs = readRetryAfterMs(response);
  if (status === 429) return { kind: 'throttled', forMs: retryAfterMs ?? THROTTLE_PAUSE_SECONDS * 1000 };

  const said = readError(body);
  if (status === 403 && said?.code === 'permission_denied') {
    const missingScope = NAMED_SCOPE.exec(said.detail ?? '')?.[0] ?? DELIVERY_SCOPE;
    const message = `The grant lacks the scope ${missingScope}: connect again and allow it.`;
    return { kind: 'hold', attempt: report({ code: 'permission_denied', message }), reason: message, missingScope };
  }
  // A readable refusal of what was sent; anything else (5xx, 401 after a refresh, HTML from the edge) may pass.
  if (said && status >= 400 && status < 500 && status !== 401 && status !== 408) {
    const message = `Klaviyo refused the event: ${said.detail ?? said.code ?? status}`;
    return { kind: 'failed', attempt: report({ code: said.code ?? 'refused', message: message.slice(0, 500) }) };
  }
  const attempt = report({ code: 'bad_status', message: `Klaviyo answered ${status}.` });
  return { kind: 'retry', attempt, delayMs: status === 503 ? retryAfterMs : null };
}

function readRetryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : null;
}

function readError(body: string): JsonApiError | null {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: unknown; detail?: unknown }[] };
    const [first] = Array.isArray(errors) ? errors : [];
    return first && typeof first === 'object' ? { code: textOrNull(first.code), detail: textOrNull(first.detail) } : null;
  } catch {
    return null;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
