import { Migration } from '@mikro-orm/migrations';

export class KeepWhatFailedApart extends Migration {
  override up(): void {
    // Without defaults, so no row is written. Where it is not known when a connection failed last, its next failure begins the
    // days anew after which it is disabled.
    this.addSql('alter table connection_health add column last_failed_at timestamptz');
    // When somebody last had a delivery tried again by hand: from then on its age counts. Null: never, so its creation does.
    this.addSql('alter table deliveries add column retried_at timestamptz');
  }
}
