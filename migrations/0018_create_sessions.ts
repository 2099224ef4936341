import { Migration } from '@mikro-orm/migrations';

export class CreateSessions extends Migration {
  override up(): void {
    // Without a foreign key to the connection: when the connection is deleted, its session must neither become valid for the
    // whole organization nor disappear, so that its token gets the answer that the session has ended.
    this.addSql(`
      create table sessions (
        id uuid primary key,
        organization_id bigint not null references organizations (id) on delete cascade,
        api_key_id bigint not null references api_keys (id) on delete cascade,
        token_hash text not null unique,
        permissions text[] not null,
        connection_id bigint,
        origin text,
        return_to text,
        locale text,
        created_at timestamptz not null default now(),
        expires_at timestamptz not null,
        ended_at timestamptz,
        constraint sessions_connect_one_connection check (connection_id is not null or not 'connect' = any (permissions))
      )`);
    this.addSql('create index sessions_organization_id_index on sessions (organization_id, id)');
    this.addSql('create index sessions_living_index on sessions (organization_id, expires_at) where ended_at is null');
    this.addSql('create index sessions_api_key_id_index on sessions (api_key_id)');
    this.addSql('create index sessions_connection_id_index on sessions (connection_id) where ended_at is null');
    this.addSql('create index sessions_origin_index on sessions (origin) where origin is not null');
    this.addSql('create index sessions_end_index on sessions ((least(ended_at, expires_at)))');

    // In the transaction that deletes the connection or revokes the key, whatever code does it.
    this.addSql(`
      create function end_sessions_of_connection() returns trigger language plpgsql as $$
      begin
        update sessions set ended_at = now() where connection_id = old.id and ended_at is null;
        return null;
      end $$`);
    this.addSql(`
      create trigger connections_end_sessions after delete on connections
      for each row execute function end_sessions_of_connection()`);
    this.addSql(`
      create function end_sessions_of_key() returns trigger language plpgsql as $$
      begin
        update sessions set ended_at = now() where api_key_id = new.id and ended_at is null;
        return null;
      end $$`);
    this.addSql(`
      create trigger api_keys_end_sessions after update of revoked_at on api_keys
      for each row when (old.revoked_at is null and new.revoked_at is not null) execute function end_sessions_of_key()`);
  }
}
