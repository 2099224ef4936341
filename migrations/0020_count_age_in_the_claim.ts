import { Migration } from '@mikro-orm/migrations';

export class CountAgeInTheClaim extends Migration {
  /**
   * Makes claim_due_deliveries (migrations 0008, 0011, 0013) count a delivery's age from its last manual retry, or from its
   * creation if there was none. Arguments and results stay the same, so older processes can call it while new ones start.
   */
  override up(): void {
    this.addSql(`
      do $$
      declare
        source text := pg_get_functiondef('claim_due_deliveries'::regproc);
        part text[];
      begin
        foreach part slice 1 in array array[
          array['d.ordering_key, d.created_at, d.due_at', 'd.ordering_key, coalesce(d.retried_at, d.created_at) as aging_since, d.due_at'],
          array['now() - cl.created_at', 'now() - cl.aging_since']
        ] loop
          if position(part[1] in source) = 0 then
            raise exception 'claim_due_deliveries is not the one of migrations 0008, 0011 and 0013';
          end if;
          source := replace(source, part[1], part[2]);
        end loop;
        execute source;
      end $$`);
  }
}
