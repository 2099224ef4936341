import { Migration } from '@mikro-orm/migrations';

/**
 * What was sent to each Klaviyo account, so that all processes together stay below its limits. `second`: the last one in
 * which something was sent, in seconds since 1970; `in_minute` belongs to the minute that it is in. Not logged: what counts
 * for a minute need not survive a crash.
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
