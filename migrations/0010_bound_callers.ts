import { Migration } from '@mikro-orm/migrations';

export class BoundCallers extends Migration {
  override up(): void {
    // Making and ending keys and seeing secrets now needs `admin`. Whoever could do so until now still can, but for keys
    // that are good for access tokens only: a token never has it.
    this.addSql(
      "update api_keys set scopes = array_prepend('admin', scopes) where 'manage' = any (scopes) and not 'admin' = any (scopes) and not oauth_only",
    );
    // What is swept is found by its time.
    this.addSql('create index rate_limits_resets_at_index on rate_limits (resets_at)');
    this.addSql('create index access_tokens_expires_at_index on access_tokens (expires_at)');
  }
}
