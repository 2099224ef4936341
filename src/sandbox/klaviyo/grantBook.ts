import { randomBytes, randomUUID } from 'node:crypto';
import { sha256 } from '../secrets.js';
import { OWN_APP } from './appBook.js';

/**
 * The result of one approval, created when its code was exchanged. An account that approved twice has two grants in one
 * installation.
 */
export interface Grant {
  id: string;
  /** The approved app. No other app can use the tokens. */
  appId: string;
  accountId: string;
  scopes: string[];
  createdAt: number;
  /** Hash of the refresh token; null once it was invalidated. */
  refreshHash: string | null;
  refreshUsedAt: number;
}

export interface AccessTokenRecord {
  grantId: string;
  expiresAt: number;
}

export interface GrantSnapshot {
  grants: Grant[];
  access: [hash: string, token: AccessTokenRecord][];
}

const ACCESS_TOKEN_SECONDS = 3_600;
const REFRESH_IDLE_MS = 90 * 24 * 3_600_000;
const MOST_GRANTS_PER_INSTALLATION = 50;
const MOST_ACCESS_TOKENS = 20_000;

// Tokens have the maximum length that Klaviyo announces, so that clients are tested with the worst case.
const newAccessToken = () => randomBytes(3_072).toString('base64url'); // 4,096 characters
const newRefreshToken = () => randomBytes(384).toString('base64url'); // 512 characters

/** Grants and their tokens. Tokens are kept as hashes only, so a stolen state file contains none. */
export class GrantBook {
  private grants = new Map<string, Grant>();
  private byRefreshHash = new Map<string, string>();
  private access = new Map<string, AccessTokenRecord>();

  constructor(
    private readonly now: () => number,
    /** Returns the lifetime in seconds of an access token that is issued now. */
    readonly accessTokenSeconds: () => number = () => ACCESS_TOKEN_SECONDS,
  ) {}

  create({ appId, accountId, scopes }: Pick<Grant, 'appId' | 'accountId' | 'scopes'>): { grant: Grant; refreshToken: string } {
    const older = this.list(accountId, appId);
    if (older.length >= MOST_GRANTS_PER_INSTALLATION && older[0]) this.remove(older[0].id);
    const grant: Grant = {
      id: randomUUID(),
      appId,
      accountId,
      scopes,
      createdAt: this.now(),
      refreshHash: null,
      refreshUsedAt: this.now(),
    };
    this.grants.set(grant.id, grant);
    return { grant, refreshToken: this.rotateRefreshToken(grant) };
  }

  /** Replaces the grant's refresh token. The previous one becomes invalid. */
  rotateRefreshToken(grant: Grant): string {
    const token = newRefreshToken();
    this.withdrawRefreshToken(grant);
    grant.refreshHash = sha256(token);
    this.byRefreshHash.set(grant.refreshHash, grant.id);
    return token;
  }

  withdrawRefreshToken(grant: Grant): void {
    if (grant.refreshHash) this.byRefreshHash.delete(grant.refreshHash);
    grant.refreshHash = null;
  }

  /** Issues an access token. Older access tokens of the grant stay valid, as in Klaviyo. */
  issueAccessToken(grant: Grant): string {
    this.forgetExpiredAccessTokens();
    const token = newAccessToken();
    this.access.set(sha256(token), { grantId: grant.id, expiresAt: this.now() + this.accessTokenSeconds() * 1_000 });
    return token;
  }

  byRefreshToken(token: string): Grant | undefined {
    const grant = this.grants.get(this.byRefreshHash.get(sha256(token)) ?? '');
    if (grant && this.now() - grant.refreshUsedAt > REFRESH_IDLE_MS) {
      this.withdrawRefreshToken(grant);
      return undefined;
    }
    return grant;
  }

  byAccessToken(token: string): Grant | undefined {
    const record = this.access.get(sha256(token));
    return record && record.expiresAt > this.now() ? this.grants.get(record.grantId) : undefined;
  }

  list(accountId?: string, appId?: string): Grant[] {
    return [...this.grants.values()].filter(
      (grant) => (accountId === undefined || grant.accountId === accountId) && (appId === undefined || grant.appId === appId),
    );
  }

  liveAccessTokens(accountId: string, appId: string): number {
    const ids = new Set(this.list(accountId, appId).map((grant) => grant.id));
    return [...this.access.values()].filter((token) => ids.has(token.grantId) && token.expiresAt > this.now()).length;
  }

  /** Removes one grant with all its tokens. */
  remove(grantId: string): boolean {
    const grant = this.grants.get(grantId);
    if (!grant) return false;
    this.withdrawRefreshToken(grant);
    this.grants.delete(grantId);
    for (const [hash, token] of this.access) if (token.grantId === grantId) this.access.delete(hash);
    return true;
  }

  /** Removes one app, or all, from an account, with all grants and tokens. */
  uninstall(accountId: string, appId?: string): boolean {
    return this.list(accountId, appId).map((grant) => this.remove(grant.id)).length > 0;
  }

  /** Invalidates every access token, or those of one account. Refresh tokens stay valid. */
  expireAccessTokens(accountId?: string): number {
    const before = this.access.size;
    for (const [hash, token] of this.access) {
      if (accountId === undefined || this.grants.get(token.grantId)?.accountId === accountId) this.access.delete(hash);
    }
    return before - this.access.size;
  }

  snapshot(): GrantSnapshot {
    this.forgetExpiredAccessTokens();
    return { grants: this.list(), access: [...this.access] };
  }

  restore({ grants, access }: GrantSnapshot): void {
    for (const saved of grants) {
      // Files of versions with a single app contain no app ids.
      const grant = { ...saved, appId: saved.appId ?? OWN_APP };
      this.grants.set(grant.id, grant);
      if (grant.refreshHash) this.byRefreshHash.set(grant.refreshHash, grant.id);
    }
    this.access = new Map(access);
  }

  // Tokens are stored in the order of issue and have the same lifetime, so the oldest ones are first.
  private forgetExpiredAccessTokens(): void {
    for (const [hash, token] of this.access) {
      if (token.expiresAt > this.now() && this.access.size < MOST_ACCESS_TOKENS) return;
      this.access.delete(hash);
    }
  }
}
