export const INBOX_ANSWERS = ['ok', 'error', 'gone', 'throttle', 'redirect', 'slow', 'hang'] as const;

/** 200, 500, 410, 429, 302, 200 after a while, or nothing at all. */
export type InboxAnswer = (typeof INBOX_ANSWERS)[number];

/** How an inbox answers what it receives. */
export interface InboxBehaviour {
  answer: InboxAnswer;
  /** throttle: the Retry-After it sends. Default 5. */
  retryAfterSeconds?: number;
  /** slow: how long it waits. Default 5,000, at most ten minutes. */
  delayMs?: number;
  /** redirect: the Location it sends. Default: the inbox named `redirected`, where nothing should ever arrive. */
  location?: string;
  /** After so many requests it goes back to 200. Without it: until told otherwise. */
  times?: number;
}
