import type { ConnectionHealth } from '../../delivery/findHealth.js';
import type { Credential } from '../../domain/Credential.js';

/**
 * What keeps an active connection from delivering, or soon will, in a sentence or two; null when nothing does.
 * `neededScope` is what its deliveries need of a grant; null when it has none to make.
 */
export function describeProblem(
  credential: Credential | null,
  health: ConnectionHealth | null,
  neededScope: string | null,
): string | null {
  if (credential?.refreshProblem) {
    // A token is renewed ahead of time: as long as the one in hand is good, events go out.
    const waits = credential.expiresAt.getTime() <= Date.now();
    return waits ? `${credential.refreshProblem} Events wait meanwhile.` : credential.refreshProblem;
  }
  if (neededScope && credential?.accessToken && !credential.scopes.includes(neededScope)) {
    return `The grant lacks the scope ${neededScope}, so the next event will be held: connect again and allow it.`;
  }
  const { failingSince, throttledUntil } = health ?? {};
  if (failingSince) return `Deliveries have been failing since ${failingSince.toISOString()}; their attempts say why.`;
  if (throttledUntil) return `The destination limits how much it takes; deliveries go on at ${throttledUntil.toISOString()}.`;
  return null;
}
