import { randomBytes } from 'node:crypto';

/** A merchant's Klaviyo account. Grants belong to accounts, never to persons. */
export interface SandboxAccount {
  /** Six letters and digits, which are also Klaviyo's public API key. */
  id: string;
  name: string;
  timezone: string;
  currency: string;
  locale: string;
}

export type NewAccount = Partial<Omit<SandboxAccount, 'name'>> & { name: string };

const MOST_ACCOUNTS = 1_000;

const SEEDED: SandboxAccount[] = [
  { id: 'SbX001', name: 'Sandbox Store', timezone: 'Europe/Amsterdam', currency: 'EUR', locale: 'en-GB' },
  { id: 'SbX002', name: 'Second Store', timezone: 'America/New_York', currency: 'USD', locale: 'en-US' },
];

/** The accounts that the consent page offers. */
export class AccountBook {
  private accounts = new Map(SEEDED.map((account) => [account.id, account]));

  list(): SandboxAccount[] {
    return [...this.accounts.values()];
  }

  find(id: string): SandboxAccount | undefined {
    return this.accounts.get(id);
  }

  add(account: NewAccount): SandboxAccount {
    if (this.accounts.size >= MOST_ACCOUNTS) throw new RangeError(`The sandbox keeps at most ${MOST_ACCOUNTS} accounts`);
    const id = account.id ?? randomBytes(3).toString('hex');
    const added = { timezone: 'Europe/Amsterdam', currency: 'EUR', locale: 'en-US', ...account, id };
    this.accounts.set(id, added);
    return added;
  }

  snapshot(): SandboxAccount[] {
    return this.list();
  }

  restore(accounts: SandboxAccount[]): void {
    for (const account of accounts) this.accounts.set(account.id, account);
  }
}
