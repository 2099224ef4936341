import { Migration } from '@mikro-orm/migrations';

export class LeaseRefreshes extends Migration {
  override up(): void {
    this.addSql(`
      alter table credentials
        add column refresh_leased_by uuid,
        add column refresh_leased_until timestamptz`);
    this.addSql('create index events_created_at_index on events (created_at)');
    this.addSql(
      'create index credentials_idle_index on credentials (coalesce(last_refreshed_at, created_at)) where refresh_token is not null',
    );
  }
}
