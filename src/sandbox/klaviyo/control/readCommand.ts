import { type FaultKind, type FaultOrder, type FaultTarget, INTERRUPTIONS, TOKEN_SHAPES } from '../faults.js';
import type { KlaviyoControl } from './klaviyoControl.js';

export const FAULT_KINDS: readonly FaultKind[] = [...INTERRUPTIONS, ...TOKEN_SHAPES];
export const FAULT_TARGETS: readonly FaultTarget[] = ['both', 'token', 'api', 'revoke', 'all'];

/** Parses a control form. Returns the action that it requests; undefined for an invalid form. */
export function readCommand(form: URLSearchParams, control: KlaviyoControl): (() => unknown) | undefined {
  const account = form.get('account') ?? '';
  const app = form.get('app') || undefined;
  switch (form.get('action')) {
    case 'uninstall':
      return () => control.uninstall(account, app);
    case 'revoke':
      return () => control.revokeGrant(account, app);
    case 'withdraw_scopes': {
      const scopes = (form.get('scopes') ?? '').split(/\s+/).filter(Boolean);
      return scopes.length > 0 ? () => control.withdrawScopes(account, scopes) : undefined;
    }
    case 'move_grants':
      return () => control.moveGrants(account, form.get('to') ?? '');
    case 'expire':
      return () => control.expireAccessTokens(account || undefined);
    case 'add_account': {
      const name = (form.get('name') ?? '').trim().slice(0, 100);
      return name ? () => control.addAccount({ name }) : undefined;
    }
    case 'add_app': {
      const name = (form.get('name') ?? '').trim().slice(0, 100);
      const clientId = (form.get('client_id') ?? '').trim() || undefined;
      const clientSecret = (form.get('client_secret') ?? '').trim() || undefined;
      return name ? () => control.addApp({ name, clientId, clientSecret, redirectUris: readLines(form) }) : undefined;
    }
    case 'set_redirect_uris':
      return app === undefined ? undefined : () => control.setRedirectUris(app, readLines(form));
    case 'remove_app':
      return app === undefined ? undefined : () => control.removeApp(app);
    case 'clear_events':
      return () => control.clearEvents();
    case 'clear_faults':
      return () => control.clearFaults(form.get('fault') || undefined);
    case 'reset_counters':
      return () => control.resetCounters();
    case 'fault': {
      const order = readFault(form);
      return order && (() => control.inject(order));
    }
    default:
      return undefined;
  }
}

const readLines = (form: URLSearchParams): string[] => (form.get('redirect_uris') ?? '').split(/\s+/).filter(Boolean);

function readFault(form: URLSearchParams): FaultOrder | undefined {
  const kind = FAULT_KINDS.find((known) => known === form.get('kind'));
  const target = FAULT_TARGETS.find((known) => known === (form.get('target') || 'both'));
  const count = readNumber(form.get('count'), 1_000_000);
  const seconds = readNumber(form.get('seconds'), 86_400);
  if (!kind || !target || count === null || count === 0 || seconds === null) return undefined;
  return { kind, target, count, seconds, afterEffect: form.get('after_effect') === 'on' };
}

/** Reads a number from a form field: undefined when empty, null when it is invalid or too large. */
function readNumber(text: string | null, most: number): number | undefined | null {
  if (text === null || text.trim() === '') return undefined;
  const number = Number(text);
  return Number.isInteger(number) && number >= 0 && number <= most ? number : null;
}
