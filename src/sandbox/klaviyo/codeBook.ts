import { randomBytes } from 'node:crypto';
import { sha256 } from '../secrets.js';

/** The authorization of a code, and what the token request must match. */
export interface CodeRecord {
  appId: string;
  accountId: string;
  scopes: string[];
  redirectUri: string;
  codeChallenge: string;
  expiresAt: number;
  /** Set once the code was exchanged: the grant to remove when the code is presented again. */
  grantId?: string;
}

const CODE_LIFE_MS = 5 * 60_000;
// Used codes are kept much longer than their lifetime, so that a late replay is still detected.
const REMEMBER_MS = 24 * 3_600_000;
const MOST_CODES = 10_000;

/** Authorization codes, by hash. They are not saved to the state file, because they live only five minutes. */
export class CodeBook {
  private codes = new Map<string, CodeRecord>();

  constructor(private readonly now: () => number) {}

  issue(details: Omit<CodeRecord, 'expiresAt' | 'grantId'>): string {
    for (const [hash, code] of this.codes) {
      if (code.expiresAt + REMEMBER_MS > this.now() && this.codes.size < MOST_CODES) break;
      this.codes.delete(hash);
    }
    const code = randomBytes(32).toString('base64url');
    this.codes.set(sha256(code), { ...details, expiresAt: this.now() + CODE_LIFE_MS });
    return code;
  }

  find(code: string): CodeRecord | undefined {
    return this.codes.get(sha256(code));
  }
}
