import type { ConnectionHealth } from '../../delivery/findHealth.js';
import type { Credential } from '../../domain/Credential.js';

/** What keeps an active connection from delivering at the moment, in a sentence; null when nothing does. */
export function describeProblem(credential: Credential | null, health: ConnectionHealth | null): string | null {
  if (credential?.refreshProblem) return credential.refreshProblem;
  const { failingSince, pausedUntil, throttledUntil } = health ?? {};
  if (failingSince) {
    const next = pausedUntil ? ` It is tried again at ${pausedUntil.toISOString()}.` : '';
    return `Deliveries have been failing since ${failingSince.toISOString()}; their attempts say why.${next}`;
  }
  if (throttledUntil) return `The destination limits how much it takes; deliveries go on at ${throttledUntil.toISOString()}.`;
  return null;
}
