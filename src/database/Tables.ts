import type { Generated } from 'kysely';

/** The tables as the driver returns them, for the reads and writes that go past entities. */
export interface Tables {
  access_tokens: AccessTokensTable;
  api_keys: ApiKeysTable;
  authorizations: AuthorizationsTable;
  credentials: CredentialsTable;
  rate_limits: RateLimitsTable;
}

interface AccessTokensTable {
  token_hash: string;
  api_key_id: string;
  scopes: string[];
  created_at: Generated<Date>;
  expires_at: Date;
}

interface ApiKeysTable {
  id: Generated<string>;
  /** Null: a platform's. */
  organization_id: string | null;
  public_key: string;
  secret_hash: string;
  scopes: string[];
  oauth_only: boolean;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

interface AuthorizationsTable {
  id: string;
  connection_id: string | null;
  status: string;
  error_code: string | null;
  error_description: string | null;
  consumed_at: Date | null;
  created_at: Generated<Date>;
  expires_at: Date;
}

interface CredentialsTable {
  connection_id: string;
  provider: string;
  account_id: string | null;
  access_token: string | null;
}

interface RateLimitsTable {
  key: string;
  hits: number;
  resets_at: Date;
}
