import { Migration } from '@mikro-orm/migrations';

/**
 * Adds the counts behind `deliveryStatistics`: one row for each minute and each hour in which something was attempted, of each
 * connection, and of each organization as a whole.
 */
export class CountDeliveries extends Migration {
  override up(): void {
    // Half-filled pages: an update changes no indexed column and finds room in the row's page. No foreign key to the connection:
    // a row may be of all of them.
    this.addSql(`
      create table delivery_statistics (
        organization_id bigint not null references organizations (id) on delete cascade,
        connection_id bigint not null,
        interval_minutes smallint not null check (interval_minutes in (1, 60)),
        started_at timestamptz not null,
        delivered bigint not null,
        failed bigint not null,
        retried bigint not null,
        latencies int[] not null,
        primary key (organization_id, connection_id, interval_minutes, started_at)
      ) with (
        fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`);
    this.addSql("comment on column delivery_statistics.connection_id is '-1: all connections of the organization together'");
    this.addSql(
      "comment on column delivery_statistics.latencies is 'how many were delivered within each step of milliseconds (latencies.ts)'",
    );
    this.addSql('create index delivery_statistics_started_at_index on delivery_statistics (interval_minutes, started_at)');
    this.addSql(`
      create function forget_delivery_statistics() returns trigger language plpgsql as $$
      begin
        -- In the order in which workers lock them, so that they and this cannot deadlock.
        perform from delivery_statistics where organization_id = old.organization_id and connection_id = old.id
        order by interval_minutes, started_at for update;
        delete from delivery_statistics where organization_id = old.organization_id and connection_id = old.id;
        return null;
      end $$`);
    this.addSql(`
      create trigger connections_forget_statistics after delete on connections
      for each row execute function forget_delivery_statistics()`);
  }
}
