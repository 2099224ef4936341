import { Migration } from '@mikro-orm/migrations';

/** Lists an organization's replays without looking at its other tasks. */
export class ListReplays extends Migration {
  override up(): void {
    this.addSql("create index delivery_tasks_replays_index on delivery_tasks (organization_id, id) where kind = 'replay'");
  }
}
