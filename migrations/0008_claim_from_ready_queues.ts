import { Migration } from '@mikro-orm/migrations';

/**
 * Adds the three functions of the delivery engine that must lock first and read afterwards: each statement in a function reads
 * the newest committed rows.
 */
export class ClaimFromReadyQueues extends Migration {
  override up(): void {
    this.#claim();
    this.#sweep();
    this.#advance();
  }

  /**
   * Takes up to `p_limit` due deliveries, fairly among connections: the least recently visited queues come first, and a queue
   * with more deliveries goes to the end.
   *
   * `p_busy`: maximum for connections of which the worker holds deliveries, by id. `p_full`: connections to skip. `p_ailing`,
   * `p_new`: maximum for connections whose last attempts failed, and for untried ones, in total. Many such queues are visited in
   * large steps, so that the others do not wait behind them.
   */
  #claim(): void {
    this.addSql(`
      create function claim_deliveries(
        p_limit int, p_per_connection int, p_busy jsonb, p_full bigint[], p_ailing int, p_new int, p_lease uuid, p_lease_ms float8
      ) returns table (
        id uuid, connection_id bigint, version text, attempt_count int, retry_count int, was_retrying boolean, trigger text,
        probe boolean, ailing boolean, known boolean, wanted boolean, ordering_key text, age_ms float8,
        event_id uuid, event_type text, payload text, recipient text, event_created_ms float8, now_ms float8
      ) language plpgsql as $$
      #variable_conflict use_column
      declare
        looked bigint[];
        taken int;
      begin
        -- The queues in their order. Not FOR UPDATE, because publishers hold KEY SHARE on these rows and must not block claims.
        select array_agg(l.connection_id) into looked from (
          select q.connection_id from delivery_queues q
          where q.ready_at <= now() and q.connection_id not in (select f.id from unnest(p_full) f (id))
          order by q.ready_at limit greatest(p_limit, 1000) for no key update skip locked
        ) l;
        if looked is null then
          return;
        end if;

        return query
        with facts as materialized (
          select q.connection_id, coalesce(q.due_from, '-infinity') as due_from, c.version, c.known, c.max_concurrency, c.max_per_second,
            -- A tenth of a second's deliveries may go at once; the rest is spread evenly.
            least(greatest(1, c.max_per_second / 10.0),
              q.tokens + greatest(0, date_part('epoch', now() - q.tokens_at)) * c.max_per_second) as tokens,
            h.paused_until is not null and h.paused_until <= now() as probe,
            coalesce(h.ailing, false) as ailing,
            greatest(case when h.throttled_until > now() then h.throttled_until end,
              case when h.paused_until > now() then h.paused_until end) as wait_until,
            coalesce((p_busy ->> q.connection_id::text)::int, p_per_connection) as slots, q.ready_at
          from unnest(looked) l (connection_id)
          cross join lateral (select * from delivery_queues k where k.connection_id = l.connection_id offset 0) q
          left join lateral (
            -- A connection with attempts has a signing secret, or needs none.
            select xmin::text as version, max_concurrency, max_per_second,
              signing_secret is not null or type <> 'webhook' as known
            from connections k
            where k.id = l.connection_id and k.status = 'active' offset 0
          ) c on true
          left join lateral (
            select paused_until, throttled_until, consecutive_failures > 0 or failing_since is not null as ailing
            from connection_health k where k.connection_id = l.connection_id offset 0
          ) h on true
        ), ranked as (
          select *, row_number() over (partition by kind order by ready_at) as rank, count(*) over (partition by kind) as sharers
          from (
            select *, case
              when version is null or wait_until is not null then 'closed'
              when ailing or probe then 'ailing'
              when known or p_busy ? connection_id::text then 'known'
              else 'new' end as kind
            from facts
          ) f
        ), shares as materialized (
          select r.*, case
            when kind = 'closed' then null
            when kind = 'ailing' and rank > p_ailing or kind = 'new' and rank > p_new then 0
            else least(
              slots,
              case when probe then 1 end,
              case when kind = 'new' then 1 end,
              case when kind = 'ailing' then greatest(1, p_ailing / sharers)::int end,
              case when max_per_second is not null then floor(tokens)::int end,
              case when max_concurrency is not null then max_concurrency - (
                select count(*)::int from deliveries d
                where d.connection_id = r.connection_id and d.status in ('pending', 'retrying') and d.due_at >= r.due_from
                  and d.due_at <= now() and d.leased_until > now()
              ) end)
            end as share
          from ranked r
        ), picked as materialized (
          select d.place, s.connection_id, s.version, s.probe, s.ailing, s.known
          from shares s cross join lateral (
            select k.ctid as place from deliveries k
            where k.connection_id = s.connection_id and k.status in ('pending', 'retrying')
              and k.due_at >= s.due_from and k.due_at <= now() and (k.leased_until is null or k.leased_until <= now())
            order by k.due_at limit greatest(s.share, 0) for update skip locked
          ) d
          where s.share > 0
          limit p_limit
        ), counts as materialized (
          -- One value to search: a join with the intermediate result would be planned for a thousand rows instead of ten.
          select coalesce(jsonb_object_agg(connection_id, count), '{}') as counts from (
            select connection_id, count(*) as count from picked group by connection_id
          ) n
        ), probing as (
          update connection_health h set paused_until = now() + p_lease_ms * interval '1 millisecond'
          from (
            select k.connection_id from (select distinct connection_id from picked where probe) n
            cross join lateral (
              select connection_id from connection_health p where p.connection_id = n.connection_id for no key update skip locked
            ) k
          ) p
          where h.connection_id = p.connection_id
        ), moved as (
          update delivery_queues q set
            ready_at = case
              when s.version is null then null
              when s.wait_until is not null then s.wait_until
              when s.share <= 0 and s.max_per_second is not null and s.tokens < 1
                then now() + (1 - s.tokens) / s.max_per_second * interval '1 second'
              -- Other queues of its kind come first. A full connection is queued again when there is room.
              when s.share <= 0 then now() + interval '1 second' * (case when s.kind = 'ailing' then 10 + 10 * random() else 0.5 + random() end)
              when s.count >= s.share then clock_timestamp()
              else q.ready_at end,
            gated_until = s.wait_until,
            sweep_at = case when s.version is null then now() else q.sweep_at end,
            tokens = case when s.max_per_second is null then 0 else s.tokens - s.count end,
            tokens_at = now()
          from (
            select *, coalesce((select (n.counts ->> shares.connection_id::text)::int from counts n), 0) as count from shares
          ) s
          where q.connection_id = s.connection_id and (s.kind = 'closed' or s.max_per_second is not null or s.count >= s.share)
            -- The next untried connections keep their positions.
            and not (s.kind = 'new' and s.share = 0 and s.rank <= p_new + 100)
        ), claimed as (
          update deliveries d set leased_by = p_lease, leased_until = now() + p_lease_ms * interval '1 millisecond'
          from picked p where d.ctid = p.place
          returning d.id, d.connection_id, p.version, d.attempt_count, d.retry_count, d.status, d.next_trigger, p.probe,
            p.ailing, p.known, d.event_id, d.subscription_id, d.ordering_key, d.created_at, d.due_at
        )
        select cl.id, cl.connection_id, cl.version, cl.attempt_count, cl.retry_count, cl.status = 'retrying', cl.next_trigger,
          cl.probe, cl.ailing, cl.known, s.id is not null, cl.ordering_key, date_part('epoch', now() - cl.created_at) * 1000,
          e.id, e.event_type, e.payload::text, e.recipient, date_part('epoch', e.created_at) * 1000,
          date_part('epoch', clock_timestamp()) * 1000
        from claimed cl
        cross join lateral (select * from events k where k.id = cl.event_id limit 1) e
        left join lateral (select k.id from subscriptions k where k.id = cl.subscription_id limit 1) s on true
        order by cl.due_at, cl.id;
        get diagnostics taken = row_count;
        if taken >= p_limit then
          return;
        end if;

        -- When fewer deliveries were found than allowed, nothing more is due. Before the row may say so, no publisher may be
        -- active.
        select array_agg(t.connection_id) into looked from (
          select q.connection_id from delivery_queues q
          where q.connection_id = any(looked) and q.ready_at <= now() order by q.connection_id for update skip locked
        ) t;
        if looked is null then
          return;
        end if;
        update delivery_queues q set
          ready_at = least(n.due_at, l.leased_until), due_from = least(n.due_at, l.due_at)
        from delivery_queues k
        left join lateral (
          select d.due_at from deliveries d
          where d.connection_id = k.connection_id and d.status in ('pending', 'retrying')
            and d.due_at >= coalesce(k.due_from, '-infinity') and d.due_at < 'infinity'
            and (d.leased_until is null or d.leased_until <= now())
          order by d.due_at limit 1
        ) n on true
        -- A dead worker leaves its lease. When it ends, there is work again.
        left join lateral (
          select min(d.leased_until) as leased_until, min(d.due_at) as due_at from deliveries d
          where d.connection_id = k.connection_id and d.status in ('pending', 'retrying')
            and d.due_at >= coalesce(k.due_from, '-infinity') and d.due_at <= now() and d.leased_until > now()
        ) l on true
        where k.connection_id = any(looked) and q.connection_id = k.connection_id;
      end $$`);
  }

  /**
   * Adjusts one queue to its connection, by up to `p_batch` deliveries. It releases held deliveries of an active connection,
   * oldest first and ahead of what is published afterwards. It holds waiting deliveries of a connection that is not active, and
   * cancels those of a deleted one. Returns how many deliveries it changed and whether there is more to do; null when another
   * worker does it.
   */
  #sweep(): void {
    this.addSql(`
      create function sweep_queue(p_connection_id bigint, p_batch int, out changed int, out more boolean)
      language plpgsql as $$
      declare
        state text;
        base timestamptz := clock_timestamp() - interval '10 seconds';
        finished boolean;
      begin
        perform from delivery_queues where connection_id = p_connection_id and sweep_at <= now() for no key update skip locked;
        if not found then
          return;
        end if;
        select status into state from connections where id = p_connection_id;
        if state = 'active' then
          with batch as (
            select d.id, d.ordering_key, d.ordering_position, row_number() over (order by d.id) as place
            from (
              select k.id, k.ordering_key, k.ordering_position from deliveries k
              where k.connection_id = p_connection_id and k.status = 'held' order by k.id limit p_batch for update skip locked
            ) d
          )
          update deliveries d set
            status = case when d.attempt_count > 0 then 'retrying' else 'pending' end, updated_at = now(),
            -- Of an ordering key only the first delivery is due; the others follow one after another.
            due_at = case when b.ordering_key is not null and exists (
                select from deliveries o where o.connection_id = p_connection_id and o.ordering_key = b.ordering_key
                  and o.status in ('pending', 'retrying', 'held') and o.ordering_position < b.ordering_position
              ) then 'infinity' else base + b.place * interval '1 microsecond' end
          from batch b where d.id = b.id;
          get diagnostics changed = row_count;
          update delivery_queues set ready_at = least(ready_at, now()), due_from = least(due_from, base)
          where connection_id = p_connection_id and changed > 0;
        elsif state is null then
          with held as (
            select k.id from deliveries k where k.connection_id = p_connection_id and k.status = 'held'
            order by k.id limit p_batch for update skip locked
          ), waiting as (
            select k.id from deliveries k where k.connection_id = p_connection_id and k.status in ('pending', 'retrying')
              and (k.leased_until is null or k.leased_until <= now()) order by k.due_at limit p_batch for update skip locked
          ), batch as (
            select id from held union all select id from waiting
          )
          update deliveries d set status = 'cancelled', leased_by = null, leased_until = null, updated_at = now()
          from batch b where d.id = b.id;
          get diagnostics changed = row_count;
        else
          with batch as (
            select k.id from deliveries k where k.connection_id = p_connection_id and k.status in ('pending', 'retrying')
              and (k.leased_until is null or k.leased_until <= now()) order by k.due_at limit p_batch for update skip locked
          )
          update deliveries d set status = 'held', leased_by = null, leased_until = null, updated_at = now()
          from batch b where d.id = b.id;
          get diagnostics changed = row_count;
        end if;

        more := changed > 0;
        if changed < p_batch then
          -- Perhaps nothing is left. Before the row may say so, no publisher may be active: see note_waiting.
          perform from delivery_queues where connection_id = p_connection_id for update skip locked;
          finished := found and not exists (
            select from deliveries d where d.connection_id = p_connection_id
              and (d.status in ('pending', 'retrying') and state is distinct from 'active' or d.status = 'held' and coalesce(state, 'active') = 'active'));
        end if;
        if not coalesce(finished, false) then
          -- Deliveries in flight or locked are tried again a moment later.
          update delivery_queues set sweep_at = clock_timestamp() + case when changed = 0 then interval '500 milliseconds' else '0' end
          where connection_id = p_connection_id;
        elsif state is null then
          delete from delivery_queues where connection_id = p_connection_id;
        elsif state = 'active' then
          update delivery_queues set sweep_at = null where connection_id = p_connection_id;
        else
          update delivery_queues q set ready_at = null, due_from = null, sweep_at = case
            when exists (select from deliveries d where d.connection_id = p_connection_id and d.status = 'held') then 'infinity'::timestamptz end
          where q.connection_id = p_connection_id;
        end if;
      end $$`);
  }

  /**
   * Makes the first unfinished delivery of each ordering key due. The lock keeps publishers of the key out: they must either see
   * that the previous delivery is finished, or have their own deliveries seen here.
   */
  #advance(): void {
    this.addSql(`
      create function lock_ordering(p_connection_ids bigint[], p_keys text[]) returns void language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(l.hash) from (
          select distinct hashtextextended(k.key, k.connection_id) as hash
          from unnest(p_connection_ids, p_keys) k (connection_id, key) order by 1
        ) l;
      end $$`);
    this.addSql(`
      create function advance_ordering(p_connection_ids bigint[], p_keys text[]) returns int language plpgsql as $$
      declare
        advanced int;
      begin
        perform lock_ordering(p_connection_ids, p_keys);
        with heads as (
          select distinct on (h.id) h.id, h.connection_id
          from unnest(p_connection_ids, p_keys) k (connection_id, key)
          cross join lateral (
            select d.id, d.connection_id, d.due_at, d.status from deliveries d
            where d.connection_id = k.connection_id and d.ordering_key = k.key and d.status in ('pending', 'retrying', 'held')
            order by d.ordering_position limit 1
          ) h
          where h.due_at = 'infinity' and h.status <> 'held'
        ), due as (
          update deliveries d set due_at = now() from heads h where d.id = h.id and d.due_at = 'infinity'
          returning d.connection_id
        )
        select count(*) into advanced from due;
        perform note_waiting(array_agg(k.connection_id), array_agg(now()), null)
        from (select distinct connection_id from unnest(p_connection_ids) c (connection_id)) k where advanced > 0;
        return advanced;
      end $$`);
  }
}
