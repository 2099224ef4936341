import { Migration } from '@mikro-orm/migrations';

export class SayMoreOfEvents extends Migration {
  override up(): void {
    // Without defaults, so no row is rewritten. `properties` is a ciphertext like `recipient`, because it may contain personal
    // data.
    this.addSql(`
      alter table events
        add column occurred_at timestamptz, add column value float8, add column value_currency text, add column properties text`);
    this.#claim();
  }

  /**
   * Adds claim_deliveries (migrations 0008, 0011) with the new columns under another name, because older processes still call the
   * old one while new ones start. The function reads the columns itself: a statement around it would see the events as of its own
   * start, and would drop deliveries that were published and claimed since.
   */
  #claim(): void {
    this.addSql(`
      do $$
      declare
        source text := pg_get_functiondef('claim_deliveries'::regproc);
        part text[];
      begin
        foreach part slice 1 in array array[
          array['claim_deliveries(', 'claim_due_deliveries('],
          array['now_ms double precision)', 'now_ms double precision, occurred_ms double precision, value double precision, value_currency text, properties text)'],
          array['date_part(''epoch'', clock_timestamp()) * 1000
        from claimed', 'date_part(''epoch'', clock_timestamp()) * 1000,
          date_part(''epoch'', e.occurred_at) * 1000, e.value, e.value_currency, e.properties
        from claimed']
        ] loop
          if position(part[1] in source) = 0 then
            raise exception 'claim_deliveries is not the one of migrations 0008 and 0011';
          end if;
          source := replace(source, part[1], part[2]);
        end loop;
        execute source;
      end $$`);
  }
}
