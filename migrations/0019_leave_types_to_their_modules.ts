import { Migration } from '@mikro-orm/migrations';

/** Which types of connections there are, the modules of the server say. */
export class LeaveTypesToTheirModules extends Migration {
  override up(): void {
    this.addSql('alter table connections drop constraint if exists connections_type_check');
  }
}
