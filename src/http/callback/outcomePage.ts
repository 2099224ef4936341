import type { Authorization } from '../../domain/Authorization.js';
import type { CallbackOutcome } from '../../oauth/completeAuthorization.js';
import { type OutcomeReason, reasonOf } from '../../oauth/explainOutcome.js';
import type { Provider } from '../../oauth/Provider.js';
import { type Html, html } from '../pages.js';
import { type TextKey, type Words, wordsFor } from '../texts/texts.js';

export interface OutcomePage {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  readonly refreshSeconds?: number;
  readonly language?: string;
}

interface Said {
  readonly mark: 'good' | 'bad' | 'wait';
  readonly title: string;
  readonly what: string;
  readonly next: string;
}

const MARKS = { good: '✓', bad: '!', wait: '…' } as const;

/** Seconds after which the page of a running exchange reloads itself. */
const LOOKS_AGAIN_AFTER = 1;
/** Outcomes after which another attempt may succeed. */
const TRIED_AGAIN: ReadonlySet<CallbackOutcome['kind']> = new Set(['denied', 'failed', 'expired', 'superseded', 'refused']);

interface OutcomePageOptions extends Partial<Sending> {
  /** The texts in the merchant's language. English by default. */
  readonly words?: Words;
  /** The URL at which another attempt begins. Null when the merchant begins it in the app. */
  readonly tryAgainAt?: string | null;
}

/**
 * Returns the page that a merchant reads after coming back: what happened and what to do next, in our own words.
 * `receivesEvents` says whether the connection has an active subscription, `maySend` whether the granted scopes are enough
 * for it.
 */
export function outcomePage(
  outcome: CallbackOutcome,
  provider: Provider,
  { receivesEvents = false, maySend = true, words = wordsFor(null), tryAgainAt = null }: OutcomePageOptions = {},
): OutcomePage {
  const said = whatToSay(outcome, provider.name, words, { receivesEvents, maySend });
  const authorization = outcome.kind === 'unknown_state' ? null : outcome.authorization;
  const reason = outcome.kind === 'failed' ? reasonOf(outcome.authorization) : null;
  const again = tryAgainAt !== null && TRIED_AGAIN.has(outcome.kind) ? tryAgainAt : null;
  const back = authorization?.returnTo;
  const body = html`${sandboxBanner(provider, words)}
<div class="mark ${said.mark}" aria-hidden="true">${MARKS[said.mark]}</div>
<h1>${said.title}</h1>
<p>${said.what}</p>
<p>${said.next}</p>
${reason ? html`<p class="quiet">${words('outcome.reason')} <code>${reason}</code></p>` : null}
${again ? html`<a class="button" href="${again}">${words('outcome.tryAgain')}</a>` : null}
${back ? html`<a class="${again ? 'plain' : 'button'}" href="${back}">${words('outcome.back')}</a>` : null}`;
  return {
    status: statusOf(outcome),
    language: words.language,
    title: said.title,
    body,
    refreshSeconds: outcome.kind === 'in_progress' ? LOOKS_AGAIN_AFTER : undefined,
  };
}

/** Returns the banner that marks a sandbox, which responds in the provider's place. Null for the real provider. */
export function sandboxBanner({ sandbox, name }: Pick<Provider, 'sandbox' | 'name'>, words: Words): Html | null {
  return sandbox ? html`<p class="sandbox">${words('sandbox', { name })}</p>` : null;
}

interface Sending {
  readonly receivesEvents: boolean;
  readonly maySend: boolean;
}

function whatToSay(outcome: CallbackOutcome, name: string, words: Words, { receivesEvents, maySend }: Sending): Said {
  const say = (mark: Said['mark'], title: TextKey, what: TextKey, next: TextKey, values: Record<string, string> = {}): Said => {
    const all = { name, ...values };
    return { mark, title: words(title, all), what: words(what, all), next: words(next, all) };
  };
  switch (outcome.kind) {
    case 'completed': {
      const account = outcome.authorization.accountName;
      const values = { name, account: account ?? '' };
      const title = words(account ? 'outcome.connectedTitle' : 'outcome.connectedUnnamedTitle', values);
      if (receivesEvents && !maySend) {
        return { mark: 'bad', title, what: words('outcome.lacking'), next: words('outcome.lackingNext') };
      }
      const connected = words(account ? 'outcome.connected' : 'outcome.connectedUnnamed', values);
      return {
        mark: 'good',
        title,
        what: `${connected} ${words(receivesEvents ? 'outcome.receives' : 'outcome.receivesNothing')}`,
        next: words(receivesEvents ? 'outcome.receivesNext' : 'outcome.receivesNothingNext'),
      };
    }
    case 'denied':
      return say('bad', 'outcome.deniedTitle', 'outcome.denied', 'outcome.deniedNext');
    case 'expired':
      return say('wait', 'outcome.expiredTitle', 'outcome.expired', 'outcome.again');
    case 'superseded':
      return say('wait', 'outcome.supersededTitle', 'outcome.superseded', 'outcome.supersededNext');
    case 'in_progress':
      return say('wait', 'outcome.inProgressTitle', 'outcome.inProgress', 'outcome.inProgressNext');
    case 'refused':
      return outcome.code === 'browser_mismatch'
        ? say('bad', 'outcome.refusedTitle', 'outcome.otherBrowser', 'outcome.otherBrowserNext')
        : say('bad', 'outcome.refusedTitle', 'outcome.badAddress', 'outcome.again');
    case 'unknown_state':
      return say('bad', 'outcome.refusedTitle', 'outcome.unknownState', 'outcome.again');
    case 'failed':
      return failureToSay(outcome.authorization, say);
  }
}

type Say = (mark: Said['mark'], title: TextKey, what: TextKey, next: TextKey, values?: Record<string, string>) => Said;

function failureToSay(authorization: Authorization, say: Say): Said {
  const { accountName } = authorization;
  switch (reasonOf(authorization)) {
    case 'provider_unavailable':
      return say('bad', 'outcome.failedTitle', 'outcome.unavailable', 'outcome.unavailableNext');
    case 'approval_refused':
      return say('bad', 'outcome.failedTitle', 'outcome.approvalRefused', 'outcome.again');
    case 'account_mismatch':
      return accountName
        ? say('bad', 'outcome.mismatchTitle', 'outcome.mismatch', 'outcome.mismatchNext', { account: accountName })
        : say('bad', 'outcome.mismatchTitle', 'outcome.mismatchUnnamed', 'outcome.mismatchNext');
    case 'connection_deleted':
      return say('bad', 'outcome.deletedTitle', 'outcome.deleted', 'outcome.deletedNext');
    case 'server_not_set_up':
      return say('bad', 'outcome.failedTitle', 'outcome.notSetUp', 'outcome.notSetUpNext');
    case 'account_unknown':
      return say('bad', 'outcome.failedTitle', 'outcome.accountUnknown', 'outcome.again');
    default:
      return say('bad', 'outcome.failedTitle', 'outcome.failed', 'outcome.again');
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

/** HTTP statuses of stored error codes that need another status than their reason. */
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

/** Returns the page for an unexpected error. Reloading it is safe, because a code is exchanged at most once. */
export function unexpectedPage(id: string, words: Words = wordsFor(null)): OutcomePage {
  const title = words('unexpected.title');
  return {
    status: 500,
    language: words.language,
    title,
    body: html`<div class="mark bad" aria-hidden="true">!</div>
<h1>${title}</h1>
<p>${words('unexpected.what')}</p>
<p>${words('unexpected.next')}</p>
<p class="quiet"><code>${id}</code></p>`,
  };
}
