import { Migration } from '@mikro-orm/migrations';

/** Of an attempt: the language of its outcome, and whom a pop-up tells it. */
export class LetAttemptsSpeak extends Migration {
  override up(): void {
    this.addSql('alter table authorizations add column locale text, add column opener_origin text');
  }
}
