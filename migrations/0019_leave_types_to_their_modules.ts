import { Migration } from '@mikro-orm/migrations';

/** Removes the list of connection types from the schema, because the server's modules define it. */
export class LeaveTypesToTheirModules extends Migration {
  override up(): void {
    this.addSql('alter table connections drop constraint if exists connections_type_check');
  }
}
