import { Migration } from '@mikro-orm/migrations';

export class KeepWhatFailedApart extends Migration {
  override up(): void {
    // Without defaults, so no row is rewritten. When it is unknown when a connection failed last, its next failure restarts the
    // time after which it is disabled.
    this.addSql('alter table connection_health add column last_failed_at timestamptz');
    // When a delivery was last retried by hand; its age counts from then. Null: never, so its age counts from its creation.
    this.addSql('alter table deliveries add column retried_at timestamptz');
  }
}
