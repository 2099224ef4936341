import type { NewAccount, SandboxAccount } from '../accountBook.js';
import type { ArrivedEvent } from '../eventLog.js';
import type { ActiveFault, FaultOrder } from '../faultBox.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { type KlaviyoCounters, newCounters } from '../klaviyoCounters.js';

/** The app on one account. */
export interface Installation {
  account: SandboxAccount;
  /** Of the newest grant. */
  scopes: string[];
  /** How often the account approved since the app was last removed. */
  grants: number;
  /** How many of these grants can still be refreshed. */
  refreshable: number;
  liveAccessTokens: number;
  /** ISO 8601. */
  installedAt: string;
  refreshedAt: string;
}

export interface EventTotals {
  recorded: number;
  duplicates: number;
}

/** What a test, or the control page, can see of this Klaviyo and do to it. */
export interface KlaviyoControl {
  readonly counters: Readonly<KlaviyoCounters>;
  resetCounters(): void;
  accounts(): SandboxAccount[];
  addAccount(account: NewAccount): SandboxAccount;
  installations(): Installation[];
  /** Removes the app from an account: all its tokens die. False when it was not there. */
  uninstall(accountId: string): boolean;
  /** Withdraws the refresh tokens of an account; access tokens live out their hour. */
  revokeGrant(accountId: string): boolean;
  /** Makes every access token (of one account) answer 401; returns how many there were. */
  expireAccessTokens(accountId?: string): number;
  /** The newest 20,000 events of an account, or of all, in order of arrival. */
  events(accountId?: string): ArrivedEvent[];
  /** Exact numbers, also of events no longer kept. */
  eventTotals(accountId: string): EventTotals;
  clearEvents(): void;
  /** Makes coming requests fail. */
  inject(order: FaultOrder): ActiveFault;
  faults(): ActiveFault[];
  /** Takes back one fault, or all. */
  clearFaults(id?: string): void;
}

export function klaviyoControl(context: KlaviyoContext): KlaviyoControl {
  const { accounts, changed, counters, events, faults, grants } = context;

  function installation(account: SandboxAccount): Installation[] {
    const held = grants.list(account.id);
    const [first] = held;
    if (!first) return [];
    return [
      {
        account,
        scopes: held.at(-1)?.scopes ?? [],
        grants: held.length,
        refreshable: held.filter((grant) => grant.refreshHash !== null).length,
        liveAccessTokens: grants.liveAccessTokens(account.id),
        installedAt: new Date(first.createdAt).toISOString(),
        refreshedAt: new Date(Math.max(...held.map((grant) => grant.refreshUsedAt))).toISOString(),
      },
    ];
  }

  function keep<Result>(result: Result): Result {
    changed();
    return result;
  }

  return {
    counters,
    resetCounters: () => void Object.assign(counters, newCounters()),
    accounts: () => accounts.list(),
    addAccount: (account) => keep(accounts.add(account)),
    installations: () => accounts.list().flatMap(installation),
    uninstall: (accountId) => keep(grants.uninstall(accountId)),
    revokeGrant(accountId) {
      const held = grants.list(accountId);
      for (const grant of held) grants.withdrawRefreshToken(grant);
      return keep(held.length > 0);
    },
    expireAccessTokens: (accountId) => keep(grants.expireAccessTokens(accountId)),
    events: (accountId) => events.list(accountId),
    eventTotals: (accountId) => events.totals(accountId),
    clearEvents: () => keep(events.clear()),
    inject: (order) => faults.add(order),
    faults: () => faults.list(),
    clearFaults: (id) => faults.clear(id),
  };
}
