/** Counts since the process started, or since `resetCounters`. */
export interface KlaviyoCounters {
  /** Consent pages submitted with Allow, and with Deny. */
  approvals: number;
  denials: number;
  /** All requests to the token endpoint, whatever their result. */
  tokenRequests: number;
  /** Requests with grant_type=authorization_code, and those of them that returned tokens. */
  exchangeRequests: number;
  exchanges: number;
  /** Requests with grant_type=refresh_token, and those of them that returned tokens. */
  refreshRequests: number;
  refreshes: number;
  /** Codes that were presented a second time. Each removed a grant. */
  codeReplays: number;
  revocationRequests: number;
  /** Revocations that removed an installation. */
  revocations: number;
  apiRequests: number;
  accountRequests: number;
  eventRequests: number;
  bulkRequests: number;
  /** Requests that read events, metrics and profiles. */
  readRequests: number;
  /** Responses with 401 and 429 (from limits, not from injected faults). */
  unauthorized: number;
  throttled: number;
  /** Requests that an injected fault answered, or left unanswered. */
  faults: number;
  /** Recorded events, and events dropped as repetitions, over all accounts. */
  events: number;
  duplicateEvents: number;
}

export const newCounters = (): KlaviyoCounters => ({
  approvals: 0,
  denials: 0,
  tokenRequests: 0,
  exchangeRequests: 0,
  exchanges: 0,
  refreshRequests: 0,
  refreshes: 0,
  codeReplays: 0,
  revocationRequests: 0,
  revocations: 0,
  apiRequests: 0,
  accountRequests: 0,
  eventRequests: 0,
  bulkRequests: 0,
  readRequests: 0,
  unauthorized: 0,
  throttled: 0,
  faults: 0,
  events: 0,
  duplicateEvents: 0,
});
