import { sha256 } from '../secrets.js';

/** A valid event from a request. */
export interface CheckedEvent {
  metric: string;
  /** Profile attributes as sent, with `id` if the request named one. */
  profile: Record<string, unknown>;
  /** The identifier that distinguishes this profile, such as `email:a@example.com`. */
  profileKey: string;
  properties: Record<string, unknown>;
  /** Milliseconds since 1970. */
  time: number;
  value?: number;
  valueCurrency?: string;
  uniqueId?: string;
  /** True for an old event that triggers no flow. */
  backfill?: boolean;
}

/** An event that was recorded. */
export interface ArrivedEvent extends Omit<CheckedEvent, 'profileKey' | 'time'> {
  /** Number in the order of arrival within the account, from 1. */
  sequence: number;
  id: string;
  profileId: string;
  accountId: string;
  /** ISO 8601. */
  time: string;
  receivedAt: string;
  via: 'single' | 'bulk';
}

/** A metric: the name of one kind of event. */
export interface SandboxMetric {
  id: string;
  name: string;
  /** ISO 8601. */
  created: string;
  updated: string;
}

interface AccountEvents {
  events: ArrivedEvent[];
  /** By name. */
  metrics: Map<string, SandboxMetric>;
  bytes: number[];
  totalBytes: number;
  /** Hashes of the recorded events, oldest first. */
  seen: Set<string>;
  total: number;
  duplicates: number;
}

export interface EventSnapshot {
  accountId: string;
  events: ArrivedEvent[];
  /** Absent in files of older versions. */
  metrics?: SandboxMetric[];
  seen: string[];
  total: number;
  duplicates: number;
}

const MOST_EVENTS = 20_000;
const MOST_METRICS = 2_000;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_SEEN = 200_000;
const MOST_SEEN_IN_FILE = 50_000;
const MOST_EVENTS_IN_FILE = 500;
const MOST_BYTES_IN_FILE = 4 * 1024 * 1024;

const shortHash = (...parts: (string | number)[]): string => sha256(parts.join('\n')).slice(0, 22);

const eventId = (accountId: string, sequence: number, receivedAt: string): string =>
  shortHash('event', accountId, sequence, receivedAt);

/** Six letters and digits, as in Klaviyo's ids. */
export const metricId = (accountId: string, name: string): string =>
  shortHash('metric', accountId, name).replace(/[-_]/g, '0').slice(0, 6);

/** The events that each account has received. Counts are exact; only the newest events are kept. */
export class EventLog {
  private accounts = new Map<string, AccountEvents>();

  constructor(private readonly now: () => number) {}

  /** Records an event. Returns false for a repetition, which Klaviyo would drop. */
  record(accountId: string, event: CheckedEvent, profileId: string, via: ArrivedEvent['via']): boolean {
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
    const receivedAt = new Date(this.now()).toISOString();
    this.touchMetric(account, accountId, event.metric, receivedAt);
    this.keep(account, {
      sequence: account.total,
      id: eventId(accountId, account.total, receivedAt),
      profileId,
      accountId,
      ...rest,
      time: new Date(time).toISOString(),
      receivedAt,
      via,
    });
    return true;
  }

  /** Returns whether an event of the account had this unique_id. The bulk endpoint refuses a known one. */
  hasUniqueId(accountId: string, uniqueId: string): boolean {
    return this.accounts.get(accountId)?.seen.has(shortHash('id', uniqueId)) ?? false;
  }

  /** Returns the newest events that are still kept, in the order of arrival. */
  list(accountId?: string): ArrivedEvent[] {
    if (accountId !== undefined) return [...(this.accounts.get(accountId)?.events ?? [])];
    const all = [...this.accounts.values()].flatMap((account) => account.events);
    return all.sort((a, b) => a.receivedAt.localeCompare(b.receivedAt));
  }

  /** Returns every metric with events, the newest last. */
  metrics(accountId: string): SandboxMetric[] {
    return [...(this.accounts.get(accountId)?.metrics.values() ?? [])];
  }

  totals(accountId: string): { recorded: number; duplicates: number } {
    const account = this.accounts.get(accountId);
    return { recorded: account?.total ?? 0, duplicates: account?.duplicates ?? 0 };
  }

  clear(): void {
    this.accounts.clear();
  }

  snapshot(): EventSnapshot[] {
    return [...this.accounts].map(([accountId, { events, bytes, metrics, seen, total, duplicates }]) => {
      let first = events.length;
      let size = 0;
      while (first > 0 && events.length - first < MOST_EVENTS_IN_FILE && size + (bytes[first - 1] ?? 0) <= MOST_BYTES_IN_FILE) {
        first -= 1;
        size += bytes[first] ?? 0;
      }
      return {
        accountId,
        events: events.slice(first),
        metrics: [...metrics.values()],
        seen: [...seen].slice(-MOST_SEEN_IN_FILE),
        total,
        duplicates,
      };
    });
  }

  restore(snapshots: EventSnapshot[]): void {
    for (const { accountId, events, metrics = [], seen, total, duplicates } of snapshots) {
      const account = this.of(accountId);
      Object.assign(account, { seen: new Set(seen), total, duplicates });
      for (const metric of metrics) account.metrics.set(metric.name, metric);
      for (const event of events) {
        const { sequence, receivedAt } = event;
        this.keep(account, {
          ...event,
          id: event.id ?? eventId(accountId, sequence, receivedAt),
          profileId: event.profileId ?? '',
        });
        if (!account.metrics.has(event.metric)) this.touchMetric(account, accountId, event.metric, receivedAt);
      }
    }
  }

  private of(accountId: string): AccountEvents {
    let account = this.accounts.get(accountId);
    if (!account) {
      account = { events: [], metrics: new Map(), bytes: [], totalBytes: 0, seen: new Set(), total: 0, duplicates: 0 };
      this.accounts.set(accountId, account);
    }
    return account;
  }

  private touchMetric({ metrics }: AccountEvents, accountId: string, name: string, at: string): void {
    const known = metrics.get(name);
    if (known) known.updated = at;
    else metrics.set(name, { id: metricId(accountId, name), name, created: at, updated: at });
    const [oldest] = metrics.keys();
    if (metrics.size > MOST_METRICS && oldest !== undefined) metrics.delete(oldest);
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
