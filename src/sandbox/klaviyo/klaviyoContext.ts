import type { HeldConnections } from '../heldConnections.js';
import type { SandboxOptions } from '../SandboxOptions.js';
import type { AccountBook } from './accountBook.js';
import type { AppBook } from './appBook.js';
import type { CodeBook } from './codeBook.js';
import type { EventLog } from './eventLog.js';
import type { FaultBox } from './faults.js';
import type { GrantBook } from './grantBook.js';
import type { KlaviyoCounters } from './klaviyoCounters.js';
import type { ProfileBook } from './profileBook.js';
import type { RateWindows } from './rateWindows.js';

/** What the routes of this Klaviyo share. */
export interface KlaviyoContext {
  options: SandboxOptions;
  now: () => number;
  apps: AppBook;
  accounts: AccountBook;
  codes: CodeBook;
  grants: GrantBook;
  events: EventLog;
  profiles: ProfileBook;
  rates: RateWindows;
  faults: FaultBox;
  held: HeldConnections;
  counters: KlaviyoCounters;
  /** Call it when state that must survive a restart has changed. */
  changed: () => void;
}

/** Returns the path of the mount point, for links on pages: `/sandbox`, or an empty text at the root of a host. */
export const rootPath = ({ baseUrl }: Pick<SandboxOptions, 'baseUrl'>): string => new URL(baseUrl()).pathname.replace(/\/+$/, '');
