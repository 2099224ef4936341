import { Migration } from '@mikro-orm/migrations';

/**
 * Adds triggers that notify of changes, so that no writer can forget to. They notify only about watched organizations:
 * transactions that notify wait for each other when they commit, which the hot paths must not do.
 */
export class TellOfChanges extends Migration {
  override up(): void {
    // Unlogged, because after a crash there are no watches.
    this.addSql(`
      create unlogged table live_watchers (
        organization_id bigint not null,
        process uuid not null,
        expires_at timestamptz not null,
        primary key (organization_id, process)
      )`);
    // A payload has at most 8,000 bytes: 150 ids of 39 bytes fit.
    this.addSql(`
      create function tell_of_changes(organization bigint, kind text, ids text[]) returns void language plpgsql as $$
      begin
        if not exists (select from live_watchers w where w.organization_id = organization and w.expires_at > now()) then
          return;
        end if;
        for part in 0 .. (cardinality(ids) - 1) / 150 loop
          perform pg_notify('switchboard_changes', json_build_object(
            'organizationId', organization, 'kind', kind, 'ids', ids[part * 150 + 1 : part * 150 + 150])::text);
        end loop;
      end $$`);
    this.#tellOfConnections();
    this.#tellOfDeliveries();
  }

  #tellOfConnections(): void {
    this.addSql(`
      create function tell_of_connection() returns trigger language plpgsql as $$
      begin
        perform tell_of_changes(new.organization_id, 'connection', array[new.id::text]);
        return null;
      end $$`);
    this.addSql(
      'create trigger connections_tell_of_insert after insert on connections for each row execute function tell_of_connection()',
    );
    this.addSql(`
      create trigger connections_tell_of_update after update on connections
      for each row when (old.* is distinct from new.*) execute function tell_of_connection()`);

    this.addSql(`
      create function tell_of_authorization() returns trigger language plpgsql as $$
      begin
        if new.connection_id is not null then
          perform tell_of_changes(new.organization_id, 'connection', array[new.connection_id::text]);
        end if;
        return null;
      end $$`);
    this.addSql(
      'create trigger authorizations_tell_of_insert after insert on authorizations for each row execute function tell_of_authorization()',
    );
    this.addSql(`
      create trigger authorizations_tell_of_update after update on authorizations
      for each row when (old.status is distinct from new.status) execute function tell_of_authorization()`);

    // Not every write of a credential is visible: the lease of a refresh is not.
    this.addSql(`
      create function tell_of_credential() returns trigger language plpgsql as $$
      begin
        perform tell_of_changes(c.organization_id, 'connection', array[c.id::text]) from connections c where c.id = new.connection_id;
        return null;
      end $$`);
    this.addSql(`
      create trigger credentials_tell_of_update after update on credentials
      for each row when (old.version is distinct from new.version or old.scopes is distinct from new.scopes)
      execute function tell_of_credential()`);
  }

  /**
   * Notifies once for each statement, because deliveries are written by the hundred. A claim is not visible: it leaves updated_at
   * unchanged.
   */
  #tellOfDeliveries(): void {
    this.addSql(`
      create function tell_of_deliveries() returns trigger language plpgsql as $$
      begin
        if not exists (select from live_watchers where expires_at > now()) then
          return null;
        end if;
        if tg_op = 'INSERT' then
          perform tell_of_changes(organization_id, 'delivery', array_agg(id::text order by id)) from after group by organization_id;
        else
          perform tell_of_changes(a.organization_id, 'delivery', array_agg(a.id::text order by a.id))
          from after a join before b on b.id = a.id and b.updated_at is distinct from a.updated_at
          group by a.organization_id;
        end if;
        return null;
      end $$`);
    this.addSql(`
      create trigger deliveries_tell_of_insert after insert on deliveries
      referencing new table as after for each statement execute function tell_of_deliveries()`);
    this.addSql(`
      create trigger deliveries_tell_of_update after update on deliveries
      referencing old table as before new table as after for each statement execute function tell_of_deliveries()`);
  }
}
