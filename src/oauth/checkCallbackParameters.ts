/** Longest value of any parameter; Klaviyo's codes and our states stay far below. */
const MAX_LENGTH = 4_096;

/** The parameters that a callback may carry (RFC 6749 4.1.2, RFC 9207 2). Others are ignored, as RFC 6749 4.1.2 asks. */
const KNOWN = ['state', 'code', 'error', 'error_description', 'error_uri', 'iss'] as const;

export type CallbackParameters =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'error'; readonly error: string; readonly description: string | null }
  | { readonly kind: 'refused'; readonly reason: string };

/** The state, when there is exactly one of a plausible size; null otherwise. */
export function readState(query: URLSearchParams): string | null {
  const [state, ...others] = query.getAll('state');
  return state && others.length === 0 && state.length <= 512 ? state : null;
}

/** Checks everything but the state. A refused request spends nothing. */
export function checkCallbackParameters(query: URLSearchParams, isIssuer: (iss: string) => boolean): CallbackParameters {
  const refuse = (reason: string): CallbackParameters => ({ kind: 'refused', reason });
  for (const name of KNOWN) {
    const values = query.getAll(name);
    if (values.length > 1) return refuse(`The parameter "${name}" came more than once.`);
    if ((values[0]?.length ?? 0) > MAX_LENGTH) return refuse(`The parameter "${name}" is too long.`);
  }
  const iss = query.get('iss');
  if (iss !== null && !isIssuer(iss)) return refuse('The answer names another issuer than the one that was asked.');

  const code = query.get('code');
  const error = query.get('error');
  if (code && error) return refuse('The answer holds a code and an error at once.');
  if (code) return { kind: 'code', code };
  if (error)
    return {
      kind: 'error',
      error: printable(error, 64),
      description: printable(query.get('error_description') ?? '', 500) || null,
    };
  return refuse('The answer holds neither a code nor an error.');
}

/** What comes with a callback is anybody's text: one line, bounded, and escaped again wherever it is shown. */
function printable(text: string, length: number): string {
  return text.replace(/\p{C}/gu, ' ').trim().slice(0, length);
}
