import type { HeldConnections } from '../heldConnections.js';
import type { SandboxOptions } from '../sandboxOptions.js';
import { stateFile } from '../stateFile.js';
import { AccountBook, type SandboxAccount } from './accountBook.js';
import { AppBook, type AppSnapshot } from './appBook.js';
import { CodeBook } from './codeBook.js';
import { EventLog, type EventSnapshot } from './eventLog.js';
import { FaultBox } from './faultBox.js';
import { GrantBook, type GrantSnapshot } from './grantBook.js';
import type { KlaviyoContext } from './klaviyoContext.js';
import { newCounters } from './klaviyoCounters.js';
import { ProfileBook, type ProfileSnapshot } from './profileBook.js';
import { RateWindows } from './rateWindows.js';

interface Snapshot {
  version: 1;
  accounts: SandboxAccount[];
  grants: GrantSnapshot;
  events: EventSnapshot[];
  /** Not in files of before these were kept. */
  apps?: AppSnapshot;
  profiles?: ProfileSnapshot[];
}

/** Puts the parts of Klaviyo together and fills them from the state file. */
export function createKlaviyo(
  options: SandboxOptions,
  held: HeldConnections,
): { context: KlaviyoContext; flush: () => Promise<void> } {
  const now = options.now ?? Date.now;
  const apps = new AppBook(options);
  const accounts = new AccountBook();
  const grants = new GrantBook(now, options.accessTokenSeconds);
  const events = new EventLog(now);
  const profiles = new ProfileBook(now);
  const file =
    options.stateFile === undefined
      ? undefined
      : stateFile<Snapshot>(options.stateFile, () => ({
          version: 1,
          accounts: accounts.snapshot(),
          grants: grants.snapshot(),
          events: events.snapshot(),
          apps: apps.snapshot(),
          profiles: profiles.snapshot(),
        }));
  const saved = file?.load();
  if (saved?.version === 1) {
    accounts.restore(saved.accounts);
    grants.restore(saved.grants);
    events.restore(saved.events);
    if (saved.apps) apps.restore(saved.apps);
    if (saved.profiles) profiles.restore(saved.profiles);
  }
  const context: KlaviyoContext = {
    options,
    now,
    apps,
    accounts,
    grants,
    events,
    profiles,
    codes: new CodeBook(now),
    rates: new RateWindows(now),
    faults: new FaultBox(now),
    held,
    counters: newCounters(),
    changed: () => file?.changed(),
  };
  return { context, flush: async () => file?.flush() };
}
