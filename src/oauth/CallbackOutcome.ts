import type { Authorization } from '../domain/Authorization.js';

/** What a request to the callback came to. `authorization` is there whenever its state is known. */
export type CallbackOutcome =
  | { readonly kind: 'completed' | 'denied' | 'failed' | 'expired' | 'superseded'; readonly authorization: Authorization }
  /** The code is still being exchanged, by this callback or another one with the same state. */
  | { readonly kind: 'in_progress'; readonly authorization: Authorization }
  /** The request itself was no good; the state is not spent by it. Why is on the attempt, for developers. */
  | { readonly kind: 'refused'; readonly code: 'browser_mismatch' | 'invalid_callback'; readonly authorization: Authorization }
  | { readonly kind: 'unknown_state' };
