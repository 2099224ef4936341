import type { AuthorizationStatus } from '../domain/Authorization.js';

/**
 * Stable reasons of ours why an authorization did not work. `Authorization.errorCode` keeps the provider's own code for
 * developers (RFC 6749 4.1.2.1, 5.2).
 */
export type OutcomeReason = keyof typeof SENTENCES;

const SENTENCES = {
  denied: (name: string) => `Access to the ${name} account was denied.`,
  approval_refused: (name: string) =>
    `${name} did not accept the approval: it may be too old, or was used before. Connect again.`,
  provider_unavailable: (name: string) => `${name} has a problem at the moment, or can't be reached. Try again in a few minutes.`,
  provider_refused: (name: string) =>
    `${name} refused to connect. Connect again; if that does not help, tell the support of the app.`,
  server_not_set_up: (name: string) => `This server is not set up correctly for ${name}. Its operator has to mend that.`,
  account_mismatch: (name: string) =>
    `This is another ${name} account than the connection belongs to. Sign in to the right one and connect again.`,
  account_unknown: (name: string) =>
    `${name} did not say which account this is, and the connection belongs to one already. Connect again.`,
  connection_deleted: () => 'The connection was deleted in the meantime. Create a new one.',
  interrupted: () => 'The server was stopped on the way. Connect again.',
  internal_error: () => 'Something went wrong on our side. Connect again.',
  expired: () => 'Nobody came back within ten minutes. Connect again.',
  superseded: () => 'The authorization was started again after this one.',
  browser_mismatch: () => 'This authorization belongs to the browser in which it was started.',
  invalid_callback: (name: string) => `The answer that came back from ${name} can't be used. Connect again.`,
} as const;

/** Reasons of stored error codes. It is a Map because a provider's code can be any word, such as "constructor". */
const REASONS: ReadonlyMap<string, OutcomeReason> = new Map<string, OutcomeReason>([
  ...(Object.keys(SENTENCES) as OutcomeReason[]).map((reason) => [reason, reason] as const),
  ['access_denied', 'denied'],
  ['invalid_grant', 'approval_refused'],
  ...(['provider_timeout', 'rate_limited', 'server_error', 'temporarily_unavailable'] as const).map(
    (code) => [code, 'provider_unavailable'] as const,
  ),
  ...(['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_grant_type', 'not_set_up'] as const).map(
    (code) => [code, 'server_not_set_up'] as const,
  ),
]);

interface Outcome {
  readonly status: AuthorizationStatus;
  readonly errorCode?: string | null;
}

/** Returns the reason, or null while there is no error. */
export function reasonOf({ status, errorCode }: Outcome): OutcomeReason | null {
  if (status === 'completed') return null;
  if (status === 'denied' || status === 'expired' || status === 'superseded') return status;
  if (status === 'pending' && !errorCode) return null;
  return REASONS.get(errorCode ?? '') ?? 'provider_refused';
}

/** Returns the reason in one or two sentences for merchants: what happened and what to do. At most 200 characters. */
export function explainOutcome(outcome: Outcome, providerName: string): string | null {
  const reason = reasonOf(outcome);
  return reason && SENTENCES[reason](providerName);
}
