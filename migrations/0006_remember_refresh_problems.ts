import { Migration } from '@mikro-orm/migrations';

/** Stores why a refresh failed, and notifies watches of it. */
export class RememberRefreshProblems extends Migration {
  override up(): void {
    this.addSql('alter table credentials add column refresh_problem text');
    this.addSql('drop trigger credentials_tell_of_update on credentials');
    this.addSql(`
      create trigger credentials_tell_of_update after update on credentials
      for each row when (
        old.version is distinct from new.version or old.scopes is distinct from new.scopes
        or old.refresh_problem is distinct from new.refresh_problem
      ) execute function tell_of_credential()`);
    // The function reads `connection_id`, which this table has as `credentials` does.
    this.addSql(`
      create trigger connection_health_tell_of_insert after insert on connection_health
      for each row when (new.failing_since is not null) execute function tell_of_credential()`);
    this.addSql(`
      create trigger connection_health_tell_of_update after update on connection_health
      for each row when (old.failing_since is distinct from new.failing_since) execute function tell_of_credential()`);
  }
}
