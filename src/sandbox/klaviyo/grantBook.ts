import { randomBytes, randomUUID } from 'node:crypto';
import { sha256 } from '../secrets.js';
import { OWN_APP } from './appBook.js';

/** One approval: what a code was exchanged for. An account that approved twice has two, in one installation. */
export interface Grant {
  id: string;
  /** The app that was approved; no other can use its tokens. */
  appId: string;
  accountId: string;
  scopes: string[];
  createdAt: number;
  /** Hash of the refresh token; null once Klaviyo has withdrawn it. */
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

// The longest tokens that Klaviyo announces, so whatever stores them is proven with the worst case.
const newAccessToken = () => randomBytes(3_072).toString('base64url'); // 4,096 characters
const newRefreshToken = () => randomBytes(384).toString('base64url'); // 512 characters

/** Grants and their tokens. Tokens are kept as hashes only: the state file is worth nothing to a thief. */
export class GrantBook {
  private grants = new Map<string, Grant>();
  private byRefreshHash = new Map<string, string>();
  private access = new Map<string, AccessTokenRecord>();

  constructor(
    private readonly now: () => number,
    /** Seconds that an access token lives which is issued now. */
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

  /** Replaces the grant's refresh token; the one before stops working. */
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

  /** Older access tokens of the grant stay valid, as Klaviyo's do. */
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

  /** Kills one grant with all its tokens. */
  remove(grantId: string): boolean {
    const grant = this.grants.get(grantId);
    if (!grant) return false;
    this.withdrawRefreshToken(grant);
    this.grants.delete(grantId);
    for (const [hash, token] of this.access) if (token.grantId === grantId) this.access.delete(hash);
    return true;
  }

  /** Removes an app, or every one, from an account: every token of every grant there dies. */
  uninstall(accountId: string, appId?: string): boolean {
    return this.list(accountId, appId).map((grant) => this.remove(grant.id)).length > 0;
  }

  /** Every access token, or one account's, answers 401 from now on. Refresh tokens live. */
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
      // Files of before there were several apps name none.
      const grant = { ...saved, appId: saved.appId ?? OWN_APP };
      this.grants.set(grant.id, grant);
      if (grant.refreshHash) this.byRefreshHash.set(grant.refreshHash, grant.id);
    }
    this.access = new Map(access);
  }

  // Tokens are stored in the order they were issued and all live equally long, so the old ones are in front.
  private forgetExpiredAccessTokens(): void {
    for (const [hash, token] of this.access) {
      if (token.expiresAt > this.now() && this.access.size < MOST_ACCESS_TOKENS) return;
      this.access.delete(hash);
    }
  }
}
