import { Migration } from '@mikro-orm/migrations';

export class KeepAnswersTrue extends Migration {
  override up(): void {
    // Null for tokens of before: theirs are taken to live for an hour.
    this.addSql('alter table credentials add column lifetime_seconds int');
  }
}
