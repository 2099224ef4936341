import { Migration } from '@mikro-orm/migrations';

export class BoundCallers extends Migration {
  override up(): void {
    // Creating and revoking keys and revealing secrets now needs `admin`. Keys that could do so keep the permission, except keys
    // that are valid for access tokens only, because a token never has it.
    this.addSql(
      "update api_keys set scopes = array_prepend('admin', scopes) where 'manage' = any (scopes) and not 'admin' = any (scopes) and not oauth_only",
    );
    // Expired rows are found by their time.
    this.addSql('create index rate_limits_resets_at_index on rate_limits (resets_at)');
    this.addSql('create index access_tokens_expires_at_index on access_tokens (expires_at)');
  }
}
