import { Migration } from '@mikro-orm/migrations';

/** Postgres tells of connections and subscriptions that are gone, too, as it does of those that change (migration 0005). */
export class TellOfDeletions extends Migration {
  override up(): void {
    // For each statement: with a connection go its subscriptions, however many.
    this.addSql(`
      create function tell_of_deleted_connections() returns trigger language plpgsql as $$
      begin
        perform tell_of_changes(organization_id, 'connectionDeleted', array_agg(id::text order by id))
        from gone group by organization_id;
        return null;
      end $$`);
    this.addSql(`
      create trigger connections_tell_of_delete after delete on connections
      referencing old table as gone for each statement execute function tell_of_deleted_connections()`);
    // No row is left to say which connection it belonged to. Two ids take 39 characters at most.
    this.addSql(`
      create function tell_of_deleted_subscriptions() returns trigger language plpgsql as $$
      begin
        perform tell_of_changes(organization_id, 'subscriptionDeleted', array_agg(connection_id || ':' || id order by id))
        from gone group by organization_id;
        return null;
      end $$`);
    this.addSql(`
      create trigger subscriptions_tell_of_delete after delete on subscriptions
      referencing old table as gone for each statement execute function tell_of_deleted_subscriptions()`);
  }
}
