import type { Authorization } from '../../domain/Authorization.js';
import type { CallbackOutcome } from '../../oauth/completeAuthorization.js';
import { type OutcomeReason, reasonOf } from '../../oauth/explainOutcome.js';
import type { Provider } from '../../oauth/Provider.js';
import { type Html, html } from '../pages.js';

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

/** Seconds until the page of an exchange that is under way looks again. */
const LOOKS_AGAIN_AFTER = 1;

/**
 * What a merchant reads after coming back: what happened, and what to do next, all in our own words.
 * `receivesEvents` says whether the connection has an active subscription, `maySend` whether the access that was given is enough for it.
 */
export function outcomePage(
  outcome: CallbackOutcome,
  provider: Provider,
  { receivesEvents = false, maySend = true } = {},
): OutcomePage {
  const words = wordsFor(outcome, provider.name, { receivesEvents, maySend });
  const authorization = outcome.kind === 'unknown_state' ? null : outcome.authorization;
  const reason = outcome.kind === 'failed' ? reasonOf(outcome.authorization) : null;
  const body = html`${provider.sandbox ? html`<p class="sandbox">SANDBOX: no real ${provider.name} account is involved.</p>` : null}
<div class="mark ${words.mark}" aria-hidden="true">${MARKS[words.mark]}</div>
<h1>${words.title}</h1>
<p>${words.what}</p>
<p>${words.next}</p>
${reason ? html`<p class="quiet">Reason: <code>${reason}</code></p>` : null}
${authorization?.returnTo ? html`<a class="button" href="${authorization.returnTo}">Back to the app</a>` : null}`;
  return {
    status: statusOf(outcome),
    title: words.title,
    body,
    refreshSeconds: outcome.kind === 'in_progress' ? LOOKS_AGAIN_AFTER : undefined,
  };
}

interface Sending {
  readonly receivesEvents: boolean;
  readonly maySend: boolean;
}

function wordsFor(outcome: CallbackOutcome, name: string, { receivesEvents, maySend }: Sending): Words {
  switch (outcome.kind) {
    case 'completed': {
      const account = outcome.authorization.accountName;
      const title = account ? `${account} is connected` : `${name} is connected`;
      if (receivesEvents && !maySend) {
        return {
          mark: 'bad',
          title,
          what: 'But events can not be sent there: the access that you gave does not include it.',
          next: 'Go back to the app, connect again, and allow everything that it asks for.',
        };
      }
      return {
        mark: 'good',
        title,
        what: `Your ${name} account${account ? ` “${account}”` : ''} is connected. ${
          receivesEvents ? 'Events will arrive there from now on.' : 'No events are sent there yet.'
        }`,
        next: receivesEvents
          ? 'You can close this window and go back to the app.'
          : 'Next, go back to the app and choose which events to send. You can close this window.',
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
        what: 'Connecting has to be finished within ten minutes, so nothing has changed.',
        next: AGAIN,
      };
    case 'superseded':
      return {
        mark: 'wait',
        title: 'There is a newer attempt',
        what: 'You began to connect again after this, so this window does not count any more.',
        next: 'Continue in the window that was opened last, or go back to the app and connect again.',
      };
    case 'in_progress':
      return {
        mark: 'wait',
        title: 'Almost there',
        what: `${name} takes a little longer to answer than usual.`,
        next: 'Keep this window open: it goes on by itself, and there is nothing for you to do.',
      };
    case 'refused':
      return {
        mark: 'bad',
        title: 'This link does not work',
        what:
          outcome.code === 'browser_mismatch'
            ? 'You began to connect in another browser or window, so nothing has changed.'
            : `${name} sent you back with an address that is incomplete or was changed on the way, so nothing has changed.`,
        next: outcome.code === 'browser_mismatch' ? 'Continue there, or go back to the app and connect again.' : AGAIN,
      };
    case 'unknown_state':
      return {
        mark: 'bad',
        title: 'This link does not work',
        what: 'Nobody began to connect with it here, so nothing has changed.',
        next: AGAIN,
      };
    case 'failed':
      return failedWords(outcome.authorization, name);
  }
}

function failedWords(authorization: Authorization, name: string): Words {
  const title = `${name} could not be connected`;
  switch (reasonOf(authorization)) {
    case 'provider_unavailable':
      return {
        mark: 'bad',
        title,
        what: `${name} has a problem at the moment, or can't be reached.`,
        next: 'Please try again in a few minutes.',
      };
    case 'approval_refused':
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
        what: `The connection belongs to another account${
          authorization.accountName ? ` than “${authorization.accountName}”` : ''
        }, so it was left as it was.`,
        next: `Sign in to the right ${name} account and connect again, or ask in the app to change the account.`,
      };
    case 'connection_deleted':
      return {
        mark: 'bad',
        title: 'The connection is gone',
        what: 'It was deleted while you were away. The access that you gave is being handed back.',
        next: 'Go back to the app and create a new connection.',
      };
    case 'server_not_set_up':
      return {
        mark: 'bad',
        title,
        what: 'This server is not set up correctly. It is not your fault.',
        next: 'Please tell the support of the app; trying again will not help yet.',
      };
    case 'account_unknown':
      return {
        mark: 'bad',
        title,
        what: `${name} did not say which account this is, and the connection belongs to one already.`,
        next: AGAIN,
      };
    default:
      return { mark: 'bad', title, what: 'Something went wrong on the way, so nothing has changed.', next: AGAIN };
  }
}

const FAILED_STATUS: Partial<Record<OutcomeReason, number>> = {
  provider_unavailable: 502,
  server_not_set_up: 502,
  account_mismatch: 409,
  account_unknown: 502,
  connection_deleted: 410,
  internal_error: 500,
  interrupted: 500,
};

/** Where the stored code says more than the reason. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ['provider_timeout', 504],
  ['rate_limited', 503],
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
      return statusOfFailure(outcome.authorization);
  }
}

function statusOfFailure(authorization: Authorization): number {
  const reason = reasonOf(authorization);
  return STATUS_OF_CODE.get(authorization.errorCode ?? '') ?? (reason && FAILED_STATUS[reason]) ?? 400;
}

/** What a merchant reads when something broke that nobody foresaw. Loading it again is safe: a code is exchanged once at most. */
export function unexpectedPage(id: string): OutcomePage {
  const title = 'Something went wrong on our side';
  return {
    status: 500,
    title,
    body: html`<div class="mark bad" aria-hidden="true">!</div>
<h1>${title}</h1>
<p>It is not your fault.</p>
<p>Load this page again in a minute. If it stays like this, tell the support of the app this number:</p>
<p class="quiet"><code>${id}</code></p>`,
  };
}
