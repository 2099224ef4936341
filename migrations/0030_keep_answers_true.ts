import { Migration } from '@mikro-orm/migrations';

export class KeepAnswersTrue extends Migration {
  override up(): void {
    // Null for tokens of before: theirs are taken to live for an hour.
    this.addSql('alter table credentials add column lifetime_seconds int');
    this.addSql('create table encryption_canaries (key_id text primary key, canary text not null)');
    // Empty but for the moment in which somebody finds out whether there is room again.
    this.addSql('create table storage_probes (filler text not null)');
    this.addSql('alter table storage_probes alter column filler set storage plain');
  }
}
