import type { CallbackOutcome } from '../../oauth/CallbackOutcome.js';
import type { Provider } from '../../oauth/Provider.js';
import { type Html, html } from '../pages/html.js';

export interface OutcomePage {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  readonly refreshSeconds?: number;
}

interface Words {
  readonly mark: 'good' | 'bad' | 'wait';
  readonly title: string;
  readonly what: string;
  readonly next: string;
}

const MARKS = { good: '✓', bad: '!', wait: '…' } as const;
const AGAIN = 'Go back to the app and connect again.';

/** What a merchant reads after coming back: what happened, and what to do next. */
export function outcomePage(outcome: CallbackOutcome, provider: Provider): OutcomePage {
  const words = wordsFor(outcome, provider.name);
  const authorization = outcome.kind === 'unknown_state' ? null : outcome.authorization;
  const code = outcome.kind === 'failed' || outcome.kind === 'denied' ? authorization?.errorCode : null;
  const said = outcome.kind === 'failed' || outcome.kind === 'denied' ? authorization?.errorDescription : null;
  const body = html`${provider.sandbox ? html`<p class="sandbox">SANDBOX: no real ${provider.name} account is involved.</p>` : null}
<div class="mark ${words.mark}" aria-hidden="true">${MARKS[words.mark]}</div>
<h1>${words.title}</h1>
<p>${words.what}</p>
<p>${words.next}</p>
${said ? html`<p class="quiet">${said}</p>` : null}
${code ? html`<p class="quiet">Reason: <code>${code}</code></p>` : null}
${authorization?.returnTo ? html`<a class="button" href="${authorization.returnTo}">Back to the app</a>` : null}`;
  return { status: statusOf(outcome), title: words.title, body, refreshSeconds: outcome.kind === 'in_progress' ? 3 : undefined };
}

function wordsFor(outcome: CallbackOutcome, name: string): Words {
  switch (outcome.kind) {
    case 'completed': {
      const account = outcome.authorization.accountName;
      return {
        mark: 'good',
        title: account ? `${account} is connected` : `${name} is connected`,
        what: `Your ${name} account${account ? ` “${account}”` : ''} is connected. Events will arrive there from now on.`,
        next: 'You can close this window and go back to the app.',
      };
    }
    case 'denied':
      return {
        mark: 'bad',
        title: 'Access was denied',
        what: `You chose not to give access to your ${name} account, so nothing has changed.`,
        next: 'If that was not what you wanted, go back to the app, connect again, and choose Allow.',
      };
    case 'expired':
      return {
        mark: 'wait',
        title: 'This took too long',
        what: 'An authorization has to be finished within ten minutes, so nothing has changed.',
        next: AGAIN,
      };
    case 'superseded':
      return {
        mark: 'wait',
        title: 'There is a newer attempt',
        what: 'The authorization was started again after this one, so this one is no longer good.',
        next: 'Continue in the window that was opened last, or go back to the app and connect again.',
      };
    case 'in_progress':
      return {
        mark: 'wait',
        title: 'Almost there',
        what: `${name} is slow to answer.`,
        next: 'This page looks again by itself.',
      };
    case 'refused':
      return { mark: 'bad', title: 'This link does not work', what: outcome.reason, next: AGAIN };
    case 'unknown_state':
      return {
        mark: 'bad',
        title: 'This link does not work',
        what: 'It does not belong to any authorization that was started here.',
        next: AGAIN,
      };
    case 'failed':
      return failedWords(outcome.authorization.errorCode ?? '', name);
  }
}

function failedWords(code: string, name: string): Words {
  const title = `${name} could not be connected`;
  switch (code) {
    case 'provider_unavailable':
    case 'provider_timeout':
    case 'rate_limited':
      return {
        mark: 'bad',
        title,
        what: `${name} has a problem at the moment, or can't be reached.`,
        next: 'Please try again in a few minutes.',
      };
    case 'invalid_grant':
      return {
        mark: 'bad',
        title,
        what: `${name} did not accept the approval: it may be too old, or was used before.`,
        next: AGAIN,
      };
    case 'account_mismatch':
      return {
        mark: 'bad',
        title: `This is another ${name} account`,
        what: 'The connection belongs to another account, so it was left as it was.',
        next: `Sign in to the right ${name} account and connect again, or ask in the app to change the account.`,
      };
    case 'connection_deleted':
      return {
        mark: 'bad',
        title: 'The connection is gone',
        what: 'It was deleted while you were away. The access that you gave is being handed back.',
        next: 'Go back to the app and create a new connection.',
      };
    case 'invalid_client':
    case 'unauthorized_client':
      return {
        mark: 'bad',
        title,
        what: 'This server is not set up correctly. It is not your fault.',
        next: 'Please tell the support of the app; trying again will not help yet.',
      };
    default:
      return { mark: 'bad', title, what: 'Something went wrong on the way, so nothing has changed.', next: AGAIN };
  }
}

/** By error code. A Map, since a code may be the provider's own word, such as "constructor". */
const FAILED_STATUS: ReadonlyMap<string, number> = new Map([
  ['provider_unavailable', 502],
  ['provider_timeout', 504],
  ['rate_limited', 503],
  ['invalid_client', 502],
  ['unauthorized_client', 502],
  ['account_mismatch', 409],
  ['account_unknown', 502],
  ['connection_deleted', 410],
  ['internal_error', 500],
  ['interrupted', 500],
]);

function statusOf(outcome: CallbackOutcome): number {
  switch (outcome.kind) {
    case 'completed':
    case 'denied':
      return 200;
    case 'in_progress':
      return 202;
    case 'refused':
    case 'unknown_state':
      return 400;
    case 'expired':
    case 'superseded':
      return 410;
    case 'failed':
      return FAILED_STATUS.get(outcome.authorization.errorCode ?? '') ?? 400;
  }
}
