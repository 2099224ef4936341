import type { NewAccount, SandboxAccount } from '../accountBook.js';
import type { NewApp, SandboxApp } from '../appBook.js';
import type { ArrivedEvent } from '../eventLog.js';
import type { ActiveFault, FaultOrder } from '../faults.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { type KlaviyoCounters, newCounters } from '../klaviyoCounters.js';

/** One app installed on one account. */
export interface Installation {
  app: Pick<SandboxApp, 'id' | 'name'>;
  account: SandboxAccount;
  /** Scopes of the newest grant. */
  scopes: string[];
  /** Number of approvals by the account since the app was last removed. */
  grants: number;
  /** Number of these grants that can still be refreshed. */
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

/** What a test or the control page can read from this Klaviyo and do to it. */
export interface KlaviyoControl {
  readonly counters: Readonly<KlaviyoCounters>;
  resetCounters(): void;
  accounts(): SandboxAccount[];
  addAccount(account: NewAccount): SandboxAccount;
  /** Returns the sandbox's own app first, then the added ones. It includes their secrets, so never enter real ones. */
  apps(): SandboxApp[];
  /** Adds an app. Throws a RangeError that says what is wrong with it. */
  addApp(app: NewApp): SandboxApp;
  /**
   * Replaces an app's redirect URIs. Of the sandbox's own app, replaces those that were added to its callback. Throws a
   * RangeError as `addApp` does.
   */
  setRedirectUris(appId: string, redirectUris: string[]): boolean;
  /** Removes an app with all its grants. The sandbox's own app cannot be removed. */
  removeApp(appId: string): boolean;
  installations(): Installation[];
  /** Removes one app, or all, from an account, which invalidates all tokens. Returns false when none was installed. */
  uninstall(accountId: string, appId?: string): boolean;
  /** Invalidates an account's refresh tokens. Access tokens stay valid until they expire. */
  revokeGrant(accountId: string, appId?: string): boolean;
  /** Removes scopes from an account's grants, including issued tokens. Returns whether a grant had any of them. */
  withdrawScopes(accountId: string, scopes: readonly string[]): boolean;
  /** Moves an account's grants, including issued tokens, to another account. Returns false when it had none. */
  moveGrants(accountId: string, toAccountId: string): boolean;
  /** Makes every access token (of one account) invalid, so that it gets 401. Returns how many there were. */
  expireAccessTokens(accountId?: string): number;
  /** Returns the newest 20,000 events of an account, or of all, in the order of arrival. */
  events(accountId?: string): ArrivedEvent[];
  /** Returns exact numbers, which include events that are no longer kept. */
  eventTotals(accountId: string): EventTotals;
  /** Deletes all events, with the profiles and metrics that they created. */
  clearEvents(): void;
  /** Makes future requests fail. */
  inject(order: FaultOrder): ActiveFault;
  faults(): ActiveFault[];
  /** Removes one fault, or all. */
  clearFaults(id?: string): void;
}

export function klaviyoControl(context: KlaviyoContext): KlaviyoControl {
  const { accounts, apps, changed, counters, events, faults, grants, profiles } = context;

  function installation(account: SandboxAccount, { id, name }: SandboxApp): Installation[] {
    const held = grants.list(account.id, id);
    const [first] = held;
    if (!first) return [];
    return [
      {
        app: { id, name },
        account,
        scopes: held.at(-1)?.scopes ?? [],
        grants: held.length,
        refreshable: held.filter((grant) => grant.refreshHash !== null).length,
        liveAccessTokens: grants.liveAccessTokens(account.id, id),
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
    apps: () => apps.list(),
    addApp: (app) => keep(apps.add(app)),
    setRedirectUris: (appId, redirectUris) => keep(apps.setRedirectUris(appId, redirectUris)),
    removeApp(appId) {
      const removed = apps.remove(appId);
      if (removed) for (const { id } of grants.list(undefined, appId)) grants.remove(id);
      return keep(removed);
    },
    installations: () => accounts.list().flatMap((account) => apps.list().flatMap((app) => installation(account, app))),
    uninstall: (accountId, appId) => keep(grants.uninstall(accountId, appId)),
    revokeGrant(accountId, appId) {
      const held = grants.list(accountId, appId);
      for (const grant of held) grants.withdrawRefreshToken(grant);
      return keep(held.length > 0);
    },
    withdrawScopes(accountId, scopes) {
      const held = grants.list(accountId).filter((grant) => grant.scopes.some((scope) => scopes.includes(scope)));
      for (const grant of held) grant.scopes = grant.scopes.filter((scope) => !scopes.includes(scope));
      return keep(held.length > 0);
    },
    moveGrants(accountId, toAccountId) {
      const held = accounts.find(toAccountId) ? grants.list(accountId) : [];
      for (const grant of held) grant.accountId = toAccountId;
      return keep(held.length > 0);
    },
    expireAccessTokens: (accountId) => keep(grants.expireAccessTokens(accountId)),
    events: (accountId) => events.list(accountId),
    eventTotals: (accountId) => events.totals(accountId),
    clearEvents() {
      events.clear();
      profiles.clear();
      changed();
    },
    inject: (order) => faults.add(order),
    faults: () => faults.list(),
    clearFaults: (id) => faults.clear(id),
  };
}
