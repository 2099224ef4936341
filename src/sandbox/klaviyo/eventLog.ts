import { sha256 } from '../sha256.js';

/** An event as a request described it, checked. */
export interface CheckedEvent {
  metric: string;
  /** Profile attributes as sent, with `id` when the profile was named by one. */
  profile: Record<string, unknown>;
  /** The identifier that tells this profile from others, such as `email:a@example.com`. */
  profileKey: string;
  properties: Record<string, unknown>;
  /** Milliseconds since 1970. */
  time: number;
  value?: number;
  valueCurrency?: string;
  uniqueId?: string;
}

/** An event that was recorded. */
export interface ArrivedEvent extends Omit<CheckedEvent, 'profileKey' | 'time'> {
  /** Counts up from 1 in the order of arrival, per account. */
  sequence: number;
  accountId: string;
  /** ISO 8601. */
  time: string;
  receivedAt: string;
  via: 'single' | 'bulk';
}

interface AccountEvents {
  events: ArrivedEvent[];
  bytes: number[];
  totalBytes: number;
  /** Hashes of what was recorded, oldest first. */
  seen: Set<string>;
  total: number;
  duplicates: number;
}

export interface EventSnapshot {
  accountId: string;
  events: ArrivedEvent[];
  seen: string[];
  total: number;
  duplicates: number;
}

const MOST_EVENTS = 20_000;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_SEEN = 200_000;
const MOST_SEEN_IN_FILE = 50_000;
const MOST_EVENTS_IN_FILE = 500;
const MOST_BYTES_IN_FILE = 4 * 1024 * 1024;

const shortHash = (...parts: (string | number)[]): string => sha256(parts.join('\n')).slice(0, 22);

/** What each account has received. Counts are exact; contents are kept for the newest only. */
export class EventLog {
  private accounts = new Map<string, AccountEvents>();

  constructor(private readonly now: () => number) {}

  /** False when Klaviyo would drop it as a repetition. */
  record(accountId: string, event: CheckedEvent, via: ArrivedEvent['via']): boolean {
    const account = this.of(accountId);
    const key =
      event.uniqueId === undefined
        ? shortHash('second', event.profileKey, Math.floor(event.time / 1_000))
        : shortHash('unique', event.profileKey, event.metric, event.uniqueId);
    if (account.seen.has(key)) {
      account.duplicates += 1;
      return false;
    }
    account.seen.add(key);
    if (event.uniqueId !== undefined) account.seen.add(shortHash('id', event.uniqueId));
    for (const oldest of account.seen) {
      if (account.seen.size <= MOST_SEEN) break;
      account.seen.delete(oldest);
    }
    account.total += 1;
    const { profileKey: _, time, ...rest } = event;
    this.keep(account, {
      sequence: account.total,
      accountId,
      ...rest,
      time: new Date(time).toISOString(),
      receivedAt: new Date(this.now()).toISOString(),
      via,
    });
    return true;
  }

  /** Whether any event of the account bore this unique_id: what the bulk endpoint refuses. */
  hasUniqueId(accountId: string, uniqueId: string): boolean {
    return this.accounts.get(accountId)?.seen.has(shortHash('id', uniqueId)) ?? false;
  }

  /** The newest events that are still kept, in order of arrival. */
  list(accountId?: string): ArrivedEvent[] {
    if (accountId !== undefined) return [...(this.accounts.get(accountId)?.events ?? [])];
    const all = [...this.accounts.values()].flatMap((account) => account.events);
    return all.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt));
  }

  totals(accountId: string): { recorded: number; duplicates: number } {
    const account = this.accounts.get(accountId);
    return { recorded: account?.total ?? 0, duplicates: account?.duplicates ?? 0 };
  }

  clear(): void {
    this.accounts.clear();
  }

  snapshot(): EventSnapshot[] {
    return [...this.accounts].map(([accountId, { events, bytes, seen, total, duplicates }]) => {
      let first = events.length;
      let size = 0;
      while (first > 0 && events.length - first < MOST_EVENTS_IN_FILE && size + (bytes[first - 1] ?? 0) <= MOST_BYTES_IN_FILE) {
        first -= 1;
        size += bytes[first] ?? 0;
      }
      return { accountId, events: events.slice(first), seen: [...seen].slice(-MOST_SEEN_IN_FILE), total, duplicates };
    });
  }

  restore(snapshots: EventSnapshot[]): void {
    for (const { accountId, events, seen, total, duplicates } of snapshots) {
      const account = this.of(accountId);
      Object.assign(account, { seen: new Set(seen), total, duplicates });
      for (const event of events) this.keep(account, event);
    }
  }

  private of(accountId: string): AccountEvents {
    let account = this.accounts.get(accountId);
    if (!account) {
      account = { events: [], bytes: [], totalBytes: 0, seen: new Set(), total: 0, duplicates: 0 };
      this.accounts.set(accountId, account);
    }
    return account;
  }

  private keep(account: AccountEvents, event: ArrivedEvent): void {
    const size = JSON.stringify(event).length;
    account.events.push(event);
    account.bytes.push(size);
    account.totalBytes += size;
    while (account.events.length > MOST_EVENTS || (account.totalBytes > MOST_BYTES && account.events.length > 1)) {
      account.events.shift();
      account.totalBytes -= account.bytes.shift() ?? 0;
    }
  }
}
