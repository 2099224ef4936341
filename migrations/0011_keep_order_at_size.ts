import { Migration } from '@mikro-orm/migrations';

/**
 * Changes the engine's functions so that one locked row, one failing step or one long publish does not delay other connections.
 */
export class KeepOrderAtSize extends Migration {
  override up(): void {
    // Every claim rewrites these rows and their index entries.
    this.addSql(`
      alter table delivery_queues set (
        autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`);
    this.addSql(`
      alter table delivery_tasks
        add column place_in_line bigint generated always as identity,
        add column is_ordered boolean not null default false,
        add column total_count int not null default 0,
        add column failures int not null default 0`);
    this.addSql(
      "comment on column delivery_tasks.is_ordered is 'a fan-out of ordering keys: waits for those of its organization before it'",
    );
    this.addSql("comment on column delivery_tasks.total_count is 'deliveries that a fan-out adds, all together'");
    this.addSql("comment on column delivery_tasks.failures is 'steps in a row that failed'");
    this.addSql(`
      create index delivery_tasks_ordered_index on delivery_tasks (organization_id, place_in_line) where status = 'running' and is_ordered`);
    this.addSql(`
      create index delivery_tasks_fan_out_index on delivery_tasks (organization_id) where status = 'running' and kind = 'fan_out'`);
    this.#lockOrdering();
    this.#advanceOrdering();
    this.#lookAgainLater();
  }

  /**
   * Adds a fixed number of locks for each organization, each of which stands for some of its ordering keys. A lock for each
   * connection and key would exceed what Postgres can hold: 1,000 keys for 20 connections are 20,000. Publishers of one
   * organization wait for each other at these locks.
   */
  #lockOrdering(): void {
    this.addSql(`
      create function lock_ordering_keys(p_organization_ids bigint[], p_keys text[]) returns void language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(l.hash) from (
          select distinct hashtextextended('switchboard ordering ' || k.id, hashtext(k.key) & 31) as hash
          from unnest(p_organization_ids, p_keys) k (id, key) order by 1
        ) l;
      end $$`);
    this.addSql(`
      create or replace function lock_ordering(p_connection_ids bigint[], p_keys text[]) returns void language plpgsql as $$
      begin
        perform lock_ordering_keys(array_agg(c.organization_id), array_agg(k.key))
        from (select distinct id, key from unnest(p_connection_ids, p_keys) u (id, key)) k
        cross join lateral (select organization_id from connections where id = k.id offset 0) c;
      end $$`);
  }

  /**
   * Does what advance_ordering (migration 0008) does without waiting: it returns the keys to which a publisher is adding at this
   * moment, and which are tried again a moment later. A locked first delivery is left to the audit.
   */
  #advanceOrdering(): void {
    this.addSql(`
      create function try_advance_ordering(
        p_connection_ids bigint[], p_keys text[], out advanced int, out left_connection_ids bigint[], out left_keys text[]
      ) language plpgsql as $$
      declare
        connection_ids bigint[];
        keys text[];
      begin
        with wanted as materialized (
          select k.id, k.key, 'switchboard ordering ' || c.organization_id as name, hashtext(k.key) & 31 as bucket
          from (select distinct id, key from unnest(p_connection_ids, p_keys) u (id, key)) k
          cross join lateral (select organization_id from connections where id = k.id offset 0) c
        ), locked as materialized (
          select name, bucket, pg_try_advisory_xact_lock(hashtextextended(name, bucket)) as is_ours
          from (select distinct name, bucket from wanted) b
        )
        select array_agg(w.id) filter (where l.is_ours), array_agg(w.key) filter (where l.is_ours),
          array_agg(w.id) filter (where not l.is_ours), array_agg(w.key) filter (where not l.is_ours)
        into connection_ids, keys, left_connection_ids, left_keys
        from wanted w join locked l on l.name = w.name and l.bucket = w.bucket;

        with heads as materialized (
          select h.id from unnest(connection_ids, keys) k (connection_id, key)
          cross join lateral (
            select d.id, d.due_at, d.status from deliveries d
            where d.connection_id = k.connection_id and d.ordering_key = k.key and d.status in ('pending', 'retrying', 'held')
            order by d.ordering_position limit 1
          ) h
          where h.due_at = 'infinity' and h.status <> 'held'
        ), free as materialized (
          select d.id from deliveries d where d.id in (select id from heads) and d.due_at = 'infinity' for no key update skip locked
        ), due as (
          update deliveries d set due_at = now() from free f where d.id = f.id
          returning d.connection_id
        ), noted as (
          select note_waiting(array_agg(n.connection_id), array_agg(now()), null)
          from (select distinct connection_id from due) n having count(*) > 0
        )
        select count(*) into advanced from due where (select count(*) from noted) >= 0;
      end $$`);
    this.addSql(`
      create function begin_connection_anew(p_connection_id bigint) returns void language sql as $$
        update connection_health
        set consecutive_failures = 0, failing_since = null, pauses = 0, paused_until = null, throttled_until = null
        where connection_id = p_connection_id;
        update delivery_queues
        set ready_at = case when due_from is not null then least(ready_at, now()) end, gated_until = null
        where connection_id = p_connection_id
      $$`);
  }

  /**
   * In claim_deliveries, a queue whose due deliveries were not taken because their rows are locked goes to the end, like a queue
   * that has more. Otherwise a thousand such queues would stay in front of all others.
   */
  #lookAgainLater(): void {
    this.addSql(`
      do $$
      declare
        source text := pg_get_functiondef('claim_deliveries'::regproc);
        before text := 'ready_at = least(n.due_at, l.leased_until), due_from';
      begin
        if position(before in source) = 0 then
          raise exception 'claim_deliveries is not the one of migration 0008';
        end if;
        execute replace(source, before,
          'ready_at = least(case when n.due_at <= now() then clock_timestamp() else n.due_at end, l.leased_until), due_from');
      end $$`);
  }
}
