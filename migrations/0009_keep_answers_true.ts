import { Migration } from '@mikro-orm/migrations';

export class KeepAnswersTrue extends Migration {
  override up(): void {
    // Null for older tokens, whose lifetime is assumed to be an hour.
    this.addSql('alter table credentials add column lifetime_seconds int');
    this.addSql('create table encryption_canaries (key_id text primary key, canary text not null)');
    // Contains rows only while a process tests whether there is room again.
    this.addSql('create table storage_probes (filler text not null)');
    this.addSql('alter table storage_probes alter column filler set storage plain');
    // At most one row: what all processes must know about the sandbox that one of them serves.
    this.addSql(`
      create table sandbox (
        is_only boolean primary key default true check (is_only),
        client_secret text not null,
        url text
      )`);
    // Unkeyed hashes are removed at once without rewriting rows, because equal hashes reveal equal texts.
    this.addSql('alter table events drop column content_hash, add column content_hash text');
    this.#mergeSubscriptions();
  }

  /**
   * Keeps one subscription for each event type of a connection: the oldest of several, with the deliveries of all. It is active
   * when any of them was. Waiting deliveries still go out, each once.
   */
  #mergeSubscriptions(): void {
    this.addSql(`
      create temporary table merged_subscriptions on commit drop as
      select id, connection_id, first_value(id) over same as kept, bool_or(is_active) over same as is_active
      from subscriptions
      window same as (partition by connection_id, event_type order by id rows between unbounded preceding and unbounded following)`);
    this.addSql(`
      update deliveries d set subscription_id = m.kept
      from merged_subscriptions m where m.id <> m.kept and d.connection_id = m.connection_id and d.subscription_id = m.id`);
    this.addSql(`
      update subscriptions s set is_active = true, updated_at = now()
      from merged_subscriptions m where s.id = m.id and m.id = m.kept and m.is_active and not s.is_active`);
    this.addSql('delete from subscriptions s using merged_subscriptions m where s.id = m.id and m.id <> m.kept');
    this.addSql('create unique index subscriptions_event_type_unique on subscriptions (connection_id, event_type)');
    // The new index begins with the same column.
    this.addSql('drop index subscriptions_connection_id_index');
  }
}
