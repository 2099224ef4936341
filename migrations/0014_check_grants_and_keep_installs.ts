import { Migration } from '@mikro-orm/migrations';

export class CheckGrantsAndKeepInstalls extends Migration {
  override up(): void {
    this.addSql(`
      alter table credentials
        add column checked_at timestamptz,
        add column last_check jsonb,
        add column next_check_at timestamptz not null default now() + interval '1 day',
        add column check_leased_by uuid,
        add column check_leased_until timestamptz,
        add column told_missing_scopes text[] not null default '{}'`);
    // Existing credentials are checked over the next day, not all at once.
    this.addSql("update credentials set next_check_at = now() + connection_id % 1440 * interval '1 minute'");
    this.addSql('create index credentials_next_check_at_index on credentials (next_check_at) where access_token is not null');
    // The time of the last check is visible on a connection, so its watches are notified.
    this.addSql('drop trigger credentials_tell_of_update on credentials');
    this.addSql(`
      create trigger credentials_tell_of_update after update on credentials
      for each row when (
        old.version is distinct from new.version or old.scopes is distinct from new.scopes
        or old.refresh_problem is distinct from new.refresh_problem or old.checked_at is distinct from new.checked_at
      ) execute function tell_of_credential()`);

    this.addSql(`
      create table installs (
        id uuid primary key,
        token_hash text not null unique,
        provider text not null,
        parameters jsonb not null,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        organization_id bigint references organizations (id) on delete cascade,
        connection_id bigint references connections (id) on delete set null,
        claimed_at timestamptz
      )`);
    this.addSql('create index installs_expires_at_index on installs (expires_at)');
    this.addSql('create index installs_organization_id_index on installs (organization_id)');
    this.addSql('create index installs_connection_id_index on installs (connection_id)');
  }
}
