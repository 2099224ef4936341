import { Migration } from '@mikro-orm/migrations';

export class SayMoreOfEvents extends Migration {
  override up(): void {
    // Without defaults, so no row is written. `properties` is a ciphertext, like `recipient`: they may be personal.
    // `claim_deliveries` stays as it is, since processes of before call it while new ones come up: whoever needs the new
    // columns reads them beside what it returns.
    this.addSql(`
      alter table events
        add column occurred_at timestamptz, add column value float8, add column value_currency text, add column properties text`);
  }
}
