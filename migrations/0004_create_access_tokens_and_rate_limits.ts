import { Migration } from '@mikro-orm/migrations';

export class CreateAccessTokensAndRateLimits extends Migration {
  override up(): void {
    this.addSql('alter table api_keys add column oauth_only boolean not null default false');
    this.addSql(`
      create table access_tokens (
        token_hash text primary key,
        api_key_id bigint not null references api_keys (id) on delete cascade,
        scopes text[] not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null
      )`);
    this.addSql('create index access_tokens_api_key_id_index on access_tokens (api_key_id, expires_at)');
    // Unlogged, because losing the counts in a crash does no harm. Half-filled pages keep updates of a count in the same page.
    this.addSql(`
      create unlogged table rate_limits (
        key text primary key,
        hits int not null,
        resets_at timestamptz not null
      ) with (fillfactor = 50)`);
  }
}
