import { Migration } from '@mikro-orm/migrations';

export class KeepAnswersByKey extends Migration {
  override up(): void {
    // One row for each Idempotency-Key of the last 24 hours, without a response while the request is in progress.
    this.addSql(`
      create table idempotent_requests (
        id uuid primary key,
        organization_id bigint not null references organizations (id) on delete cascade,
        key text not null,
        fingerprint text not null,
        answer text,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null,
        unique (organization_id, key)
      )`);
    this.addSql('create index idempotent_requests_expires_at_index on idempotent_requests (expires_at)');
  }
}
