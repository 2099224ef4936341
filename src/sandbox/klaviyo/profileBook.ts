import { randomBytes } from 'node:crypto';

/** A profile, assembled from the events about a person. */
export interface SandboxProfile {
  id: string;
  /** As in requests: email, phone_number, external_id, anonymous_id, first_name, …, location, properties. */
  attributes: Record<string, unknown>;
  /** Milliseconds since 1970. */
  created: number;
  updated: number;
  /** Time of the newest event about the person. */
  lastEvent: number;
}

export interface ProfileSnapshot {
  accountId: string;
  profiles: SandboxProfile[];
}

interface AccountProfiles {
  byId: Map<string, SandboxProfile>;
  /** Maps `email a@example.com` to the profile's id. */
  byIdentifier: Map<string, string>;
  /** Sizes by id, and their sum. */
  bytes: Map<string, number>;
  totalBytes: number;
}

// In the order of their precedence.
const IDENTIFIERS = ['email', 'phone_number', 'external_id', 'anonymous_id'];
const MOST_PROFILES = 20_000;
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_PROFILES_IN_FILE = 1_000;
const MOST_BYTES_IN_FILE = 4 * 1024 * 1024;
/** Klaviyo has the same limit for a profile and an event. Properties beyond it are left out. */
const MOST_PROPERTIES = 400;

/** The profiles of each account. The oldest are dropped when there are too many. */
export class ProfileBook {
  private accounts = new Map<string, AccountProfiles>();

  constructor(private readonly now: () => number) {}

  /** Finds or creates the profile with these attributes, stores new values in it, and returns its id. */
  record(accountId: string, { id, ...attributes }: Record<string, unknown>, happened: number): string {
    const account = this.of(accountId);
    const known = typeof id === 'string' ? id : this.identify(account, attributes);
    const profile = account.byId.get(known ?? '') ?? {
      id: known ?? `01${randomBytes(12).toString('hex').toUpperCase()}`,
      attributes: {},
      created: this.now(),
      updated: this.now(),
      lastEvent: happened,
    };
    for (const [name, value] of Object.entries(attributes)) {
      // Absent and null attributes change nothing.
      if (value === null || value === undefined) continue;
      profile.attributes[name] = mergeable(name) ? merge(profile.attributes[name], value) : value;
    }
    profile.updated = this.now();
    profile.lastEvent = Math.max(profile.lastEvent, happened);
    this.keep(account, profile);
    return profile.id;
  }

  list(accountId: string): SandboxProfile[] {
    return [...(this.accounts.get(accountId)?.byId.values() ?? [])];
  }

  find(accountId: string, id: string): SandboxProfile | undefined {
    return this.accounts.get(accountId)?.byId.get(id);
  }

  clear(): void {
    this.accounts.clear();
  }

  snapshot(): ProfileSnapshot[] {
    return [...this.accounts].map(([accountId, { bytes }]) => {
      let size = 0;
      const newest = this.list(accountId).slice(-MOST_PROFILES_IN_FILE).reverse();
      const profiles = newest.filter(({ id }) => {
        size += bytes.get(id) ?? 0;
        return size <= MOST_BYTES_IN_FILE;
      });
      return { accountId, profiles: profiles.reverse() };
    });
  }

  restore(snapshots: ProfileSnapshot[]): void {
    for (const { accountId, profiles } of snapshots) {
      const account = this.of(accountId);
      for (const profile of profiles) this.keep(account, profile);
    }
  }

  private identify({ byIdentifier }: AccountProfiles, attributes: Record<string, unknown>): string | undefined {
    for (const name of IDENTIFIERS) {
      const id = byIdentifier.get(identifier(name, attributes[name]));
      if (id !== undefined) return id;
    }
    return undefined;
  }

  private of(accountId: string): AccountProfiles {
    let account = this.accounts.get(accountId);
    if (!account) {
      account = { byId: new Map(), byIdentifier: new Map(), bytes: new Map(), totalBytes: 0 };
      this.accounts.set(accountId, account);
    }
    return account;
  }

  private keep(account: AccountProfiles, profile: SandboxProfile): void {
    const { byId, byIdentifier, bytes } = account;
    // Moves the profile to the end, so that the least recently used ones stay in front.
    byId.delete(profile.id);
    byId.set(profile.id, profile);
    for (const name of IDENTIFIERS) {
      if (typeof profile.attributes[name] === 'string') byIdentifier.set(identifier(name, profile.attributes[name]), profile.id);
    }
    const size = JSON.stringify(profile).length;
    account.totalBytes += size - (bytes.get(profile.id) ?? 0);
    bytes.set(profile.id, size);
    for (const oldest of byId.values()) {
      if (byId.size <= MOST_PROFILES && (account.totalBytes <= MOST_BYTES || byId.size === 1)) return;
      byId.delete(oldest.id);
      account.totalBytes -= bytes.get(oldest.id) ?? 0;
      bytes.delete(oldest.id);
      for (const name of IDENTIFIERS) {
        const key = identifier(name, oldest.attributes[name]);
        if (byIdentifier.get(key) === oldest.id) byIdentifier.delete(key);
      }
    }
  }
}

const identifier = (name: string, value: unknown): string => `${name} ${String(value).toLowerCase()}`;
const mergeable = (name: string): boolean => name === 'properties' || name === 'location';

const merge = (before: unknown, value: unknown): unknown =>
  Object.fromEntries(Object.entries({ ...(before as object), ...(value as object) }).slice(0, MOST_PROPERTIES));
