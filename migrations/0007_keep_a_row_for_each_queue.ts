import { Migration } from '@mikro-orm/migrations';

/**
 * Adds one row for each connection that says when a worker must look at its deliveries next, so that a look costs what is ready,
 * not what waits.
 *
 * - A transaction that adds work locks the row FOR KEY SHARE, which publishers can do concurrently, and then checks that the row
 * announces the work.
 * - A worker that finds no work left locks the row FOR UPDATE. That waits for nobody and succeeds only when no publisher is
 * active. The worker then looks again before it updates the row. So no committed delivery is ever overlooked.
 */
export class KeepARowForEachQueue extends Migration {
  override up(): void {
    // Indexes on a large table take long.
    this.addSql('set local statement_timeout = 0');
    this.#settings();
    this.#statuses();
    this.addSql(`
      create table delivery_queues (
        connection_id bigint primary key,
        ready_at timestamptz,
        due_from timestamptz,
        gated_until timestamptz,
        sweep_at timestamptz,
        tokens float8 not null default 0,
        tokens_at timestamptz not null default now()
      ) with (fillfactor = 50)`);
    this.addSql("comment on column delivery_queues.ready_at is 'when a worker is to look next; null: nothing waits'");
    this.addSql("comment on column delivery_queues.due_from is 'nothing that waits is due before'");
    this.addSql("comment on column delivery_queues.gated_until is 'a pause or a rate limit: whatever comes in, no look before'");
    this.addSql(
      "comment on column delivery_queues.sweep_at is 'when the sweeper is to look; infinity: held until the connection changes; null: nothing is held'",
    );
    this.addSql("comment on column delivery_queues.tokens is 'what max_per_second left over at tokens_at'");
    this.addSql('create index delivery_queues_ready_index on delivery_queues (ready_at) where ready_at is not null');
    this.addSql("create index delivery_queues_sweep_index on delivery_queues (sweep_at) where sweep_at < 'infinity'");
    this.#noteWaiting();
    this.#followConnections();
    this.#tasks();
    this.#indexes();
    // Every queue is looked at once, which corrects its row.
    this.addSql(`
      insert into delivery_queues (connection_id, ready_at, due_from, sweep_at)
      select id, now(), '-infinity', now() from (
        select id from connections union select distinct connection_id from deliveries where status in ('pending', 'retrying', 'held')
      ) c`);
  }

  #settings(): void {
    this.addSql(`
      alter table connections
        add column max_concurrency int check (max_concurrency > 0),
        add column max_per_second int check (max_per_second > 0)`);
    // A row that outlives its connection is harmless, and the check would lock rows on the path of every result.
    this.addSql('alter table connection_health drop constraint connection_health_connection_id_fkey, drop column released_until');
    // Tables with many updates are vacuumed by the number of changes, not by a fifth of their size.
    this.addSql(`
      alter table deliveries set (
        autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0.02)`);
    this.addSql(`
      alter table connection_health set (
        fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`);
  }

  #statuses(): void {
    this.addSql('alter table deliveries drop constraint deliveries_status_check');
    this.addSql(`
      alter table deliveries
        add column ordering_key text,
        add column ordering_position int,
        add constraint deliveries_status_check
          check (status in ('pending', 'retrying', 'held', 'delivered', 'failed', 'cancelled', 'expired')) not valid`);
    this.addSql('alter table events add column ordering_key text');
  }

  #noteWaiting(): void {
    this.addSql(`
      create function note_waiting(p_ids bigint[], p_dues timestamptz[], p_held bigint[]) returns void language plpgsql as $$
      declare
        missing bigint[];
      begin
        -- The lock comes first: what is read after it cannot be changed by a worker until this transaction ends.
        perform from delivery_queues where connection_id = any(p_ids || p_held) order by connection_id for key share;
        select array_agg(distinct w.id) into missing
        from unnest(p_ids, p_dues) w (id, due_at) left join delivery_queues q on q.connection_id = w.id
        where q.ready_at is null or q.ready_at > greatest(w.due_at, clock_timestamp(), q.gated_until)
          or q.due_from is null or q.due_from > w.due_at;
        if missing is not null then
          insert into delivery_queues as q (connection_id, ready_at, due_from)
          select w.id, min(w.due_at), min(w.due_at) from unnest(p_ids, p_dues) w (id, due_at)
          where w.id = any(missing) group by w.id order by w.id
          on conflict (connection_id) do update
            set ready_at = greatest(least(q.ready_at, excluded.ready_at), q.gated_until), due_from = least(q.due_from, excluded.due_from);
        end if;
        select array_agg(distinct w.id) into missing
        from unnest(p_held) w (id) left join delivery_queues q on q.connection_id = w.id where q.sweep_at is null;
        if missing is not null then
          insert into delivery_queues as q (connection_id, sweep_at)
          select id, now() from unnest(missing) w (id) order by id
          on conflict (connection_id) do update set sweep_at = coalesce(q.sweep_at, excluded.sweep_at);
        end if;
      end $$`);
    this.addSql(`
      create function note_waiting_deliveries() returns trigger language plpgsql as $$
      begin
        perform note_waiting(
          array_agg(w.connection_id) filter (where w.due_at is not null), array_agg(w.due_at) filter (where w.due_at is not null),
          array_agg(w.connection_id) filter (where w.held))
        from (
          select connection_id, bool_or(status = 'held') as held,
            min(due_at) filter (where status in ('pending', 'retrying') and due_at < 'infinity') as due_at
          from after where status in ('pending', 'retrying', 'held') group by connection_id
        ) w
        having count(*) > 0;
        return null;
      end $$`);
    this.addSql(`
      create trigger deliveries_note_insert after insert on deliveries
      referencing new table as after for each statement execute function note_waiting_deliveries()`);
    // The engine's own statements write thousands of rows a second, and note the waiting deliveries themselves.
    this.addSql(`
      create trigger deliveries_note_update after update on deliveries
      referencing new table as after for each statement
      when (coalesce(current_setting('switchboard.engine', true), '') <> 'on') execute function note_waiting_deliveries()`);
  }

  /**
   * Adds the trigger for a change of a connection's status: held deliveries are released, waiting ones held or cancelled, and the
   * health is reset.
   */
  #followConnections(): void {
    this.addSql(`
      create function follow_connection() returns trigger language plpgsql as $$
      begin
        if tg_op = 'DELETE' then
          update delivery_queues set sweep_at = now() where connection_id = old.id;
          perform pg_notify('switchboard_deliveries', 'sweep');
          delete from connection_health where connection_id = old.id;
          return null;
        end if;
        if tg_op = 'INSERT' then
          insert into delivery_queues (connection_id) values (new.id) on conflict do nothing;
          return null;
        end if;
        update delivery_queues set
          -- While sweep_at is null nothing is held, so there is nothing to release.
          sweep_at = case when old.status is distinct from new.status and (new.status <> 'active' or sweep_at is not null)
            then now() else sweep_at end,
          ready_at = case when due_from is not null then least(ready_at, now()) end,
          gated_until = null
        where connection_id = new.id;
        perform pg_notify('switchboard_deliveries', 'sweep');
        if new.status = 'active' then
          update connection_health
          set consecutive_failures = 0, failing_since = null, pauses = 0, paused_until = null, throttled_until = null
          where connection_id = new.id;
        end if;
        return null;
      end $$`);
    this.addSql(
      'create trigger connections_follow_insert after insert on connections for each row execute function follow_connection()',
    );
    this.addSql(`
      create trigger connections_follow_update after update on connections for each row
      when (
        old.status is distinct from new.status or old.configuration::text is distinct from new.configuration::text
        or old.auth_config is distinct from new.auth_config
        or old.max_concurrency is distinct from new.max_concurrency or old.max_per_second is distinct from new.max_per_second
      ) execute function follow_connection()`);
    this.addSql(
      'create trigger connections_follow_delete after delete on connections for each row execute function follow_connection()',
    );
  }

  /**
   * Adds tasks for work that takes more than one bounded step. One worker at a time takes a step, and continues where the last
   * one stopped.
   */
  #tasks(): void {
    this.addSql(`
      create table delivery_tasks (
        id uuid primary key,
        organization_id bigint not null references organizations (id) on delete cascade,
        kind text not null check (kind in ('cancel', 'replay', 'fan_out')),
        connection_id bigint,
        input jsonb not null,
        status text not null default 'running' check (status in ('running', 'completed', 'cancelled')),
        place text,
        done_count int not null default 0,
        run_at timestamptz not null default now(),
        created_at timestamptz not null default now(),
        finished_at timestamptz
      )`);
    this.addSql("create index delivery_tasks_running_index on delivery_tasks (run_at) where status = 'running'");
    this.addSql('create index delivery_tasks_organization_id_index on delivery_tasks (organization_id, id)');
  }

  #indexes(): void {
    // Partial indexes for states that most deliveries never have, so most writes do not touch them.
    this.addSql(`
      create index deliveries_status_index on deliveries (organization_id, status, id)
      where status in ('retrying', 'held', 'failed', 'cancelled', 'expired')`);
    this.addSql('create index deliveries_subscription_id_index on deliveries (subscription_id, id)');
    this.addSql(`
      create index deliveries_ordering_index on deliveries (connection_id, ordering_key, ordering_position)
      where ordering_key is not null and status in ('pending', 'retrying', 'held')`);
    // Retention walks by id, which is in the order of time.
    this.addSql('drop index events_created_at_index');
  }
}
