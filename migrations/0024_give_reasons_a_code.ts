import { Migration } from '@mikro-orm/migrations';

/** Programs read why a connection is not active as a code; until now there was only the sentence for people. */
export class GiveReasonsACode extends Migration {
  override up(): void {
    this.addSql(`
      alter table connections add column status_reason_code text check (status_reason_code in (
        'not_authorized_yet', 'authorization_denied', 'authorization_failed', 'authorization_revoked',
        'grant_lost', 'account_changed', 'scope_missing', 'switched_off', 'failing', 'gone', 'organization_deleted'))`);
    this.addSql(`
      update connections set status_reason_code = case
        when status_reason = 'It was turned off.' then 'switched_off'
        when status_reason like 'Every delivery failed for %' then 'failing'
        when status_reason = 'Its organization is being deleted.' then 'organization_deleted'
        when status = 'disabled' then 'gone'
        when status_reason = 'The authorization was revoked.' then 'authorization_revoked'
        when status_reason = 'The last authorization was denied.' then 'authorization_denied'
        when status_reason like 'The last authorization failed: %' then 'authorization_failed'
        when status = 'pending_authorization' then 'not_authorized_yet'
        when status_reason like 'The grant leads to another %' then 'account_changed'
        when status_reason like 'The grant lacks the scope %' then 'scope_missing'
        else 'grant_lost'
      end
      where status <> 'active' and status_reason is not null`);
  }
}
