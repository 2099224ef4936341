import { randomBytes } from 'node:crypto';
import { sha256 } from '../secrets.js';

/** What a code stands for, and what it has to be presented with. */
export interface CodeRecord {
  appId: string;
  accountId: string;
  scopes: string[];
  redirectUri: string;
  codeChallenge: string;
  expiresAt: number;
  /** Set once the code was exchanged: the grant that falls when it is presented again. */
  grantId?: string;
}

const CODE_LIFE_MS = 5 * 60_000;
// Spent codes are remembered well past their life, so that a late replay is still recognized as one.
const REMEMBER_MS = 24 * 3_600_000;
const MOST_CODES = 10_000;

/** Authorization codes, by hash. They are not part of the snapshot: five minutes are not worth a file. */
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
