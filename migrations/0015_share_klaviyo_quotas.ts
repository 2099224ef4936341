import { Migration } from '@mikro-orm/migrations';

/**
 * Counts the requests to each Klaviyo account, so that all processes together stay below its limits. `second` is the last second
 * with a request, in seconds since 1970. `in_minute` belongs to the minute of that second. Unlogged, because a count for one
 * minute need not survive a crash.
 */
export class ShareKlaviyoQuotas extends Migration {
  override up(): void {
    this.addSql(`
      create unlogged table klaviyo_quotas (
        account_id text not null,
        endpoint text not null,
        second bigint not null,
        in_second int not null default 0,
        in_previous_second int not null default 0,
        in_minute int not null default 0,
        granted int not null default 0,
        paused_until timestamptz,
        primary key (account_id, endpoint)
      ) with (fillfactor = 50)`);
  }
}
