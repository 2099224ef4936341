import { Migration } from '@mikro-orm/migrations';

/** What a platform needs: keys of no organization, names of its own for what it makes, and ways to erase. */
export class ManageOrganizations extends Migration {
  override up(): void {
    // Constant defaults, so no row is written.
    this.addSql(`
      alter table organizations
        add column external_id text, add column metadata jsonb not null default '{}',
        add column updated_at timestamptz not null default now()`);
    this.addSql("alter table connections add column external_id text, add column metadata jsonb not null default '{}'");
    this.addSql("alter table subscriptions add column external_id text, add column metadata jsonb not null default '{}'");
    this.addSql(
      'create unique index organizations_external_id_unique on organizations (external_id) where external_id is not null',
    );
    // Whether digits can be somebody's externalId: then they are never taken for an id.
    this.addSql("create index organizations_digits_index on organizations (id) where external_id ~ '^[1-9][0-9]*$'");
    for (const table of ['connections', 'subscriptions']) {
      this.addSql(
        `create unique index ${table}_external_id_unique on ${table} (organization_id, external_id) where external_id is not null`,
      );
    }
    this.#platformKeys();
    this.#erasing();
  }

  #platformKeys(): void {
    // Not valid: it holds for what is written from now on, and keys of before all belong to an organization.
    this.addSql(`
      alter table api_keys
        alter column organization_id drop not null,
        add constraint api_keys_platform_check check ((organization_id is null) = ('platform' = any (scopes))) not valid`);
    this.addSql(`
      alter table access_tokens
        add constraint access_tokens_scopes_check check (not scopes && array['platform', 'admin']) not valid`);
  }

  #erasing(): void {
    // One row for each organization that is being deleted; it goes with it.
    this.addSql(`
      create table organization_deletions (
        organization_id bigint primary key references organizations (id) on delete cascade,
        requested_at timestamptz not null default now(),
        run_at timestamptz not null default now(),
        failures int not null default 0,
        connection_count int not null default 0,
        delivery_count bigint not null default 0,
        event_count bigint not null default 0
      )`);
    this.addSql('create index organization_deletions_run_at_index on organization_deletions (run_at)');
    // Whose data it is stands there encrypted, until all is erased.
    this.addSql(`
      create table erasures (
        id uuid primary key,
        organization_id bigint not null references organizations (id) on delete cascade,
        person text,
        person_hash text not null,
        status text not null default 'running' check (status in ('running', 'completed')),
        place uuid,
        looked_count bigint not null default 0,
        event_count bigint not null default 0,
        cancelled_count bigint not null default 0,
        run_at timestamptz not null default now(),
        failures int not null default 0,
        created_at timestamptz not null default now(),
        finished_at timestamptz
      )`);
    this.addSql('create index erasures_organization_id_index on erasures (organization_id, id)');
    this.addSql("create unique index erasures_person_unique on erasures (organization_id, person_hash) where status = 'running'");
    this.addSql("create index erasures_run_at_index on erasures (run_at) where status = 'running'");
    this.addSql('alter table events add column erased_at timestamptz');
  }
}
