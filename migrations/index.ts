import { CreateConnectionsAndAuthorizations } from './0001_create_connections_and_authorizations.js';
import { CreateSubscriptionsEventsAndDeliveries } from './0002_create_subscriptions_events_and_deliveries.js';
import { LeaseRefreshes } from './0003_lease_refreshes.js';
import { CreateAccessTokensAndRateLimits } from './0004_create_access_tokens_and_rate_limits.js';
import { TellOfChanges } from './0005_tell_of_changes.js';
import { RememberRefreshProblems } from './0006_remember_refresh_problems.js';
import { KeepARowForEachQueue } from './0007_keep_a_row_for_each_queue.js';
import { ClaimFromReadyQueues } from './0008_claim_from_ready_queues.js';
import { KeepAnswersTrue } from './0009_keep_answers_true.js';
import { BoundCallers } from './0010_bound_callers.js';
import { KeepOrderAtSize } from './0011_keep_order_at_size.js';
import { KeepAnswersByKey } from './0012_keep_answers_by_key.js';
import { SayMoreOfEvents } from './0013_say_more_of_events.js';
import { CheckGrantsAndKeepInstalls } from './0014_check_grants_and_keep_installs.js';
import { ShareKlaviyoQuotas } from './0015_share_klaviyo_quotas.js';
import { KeepWhatFailedApart } from './0016_keep_what_failed_apart.js';
import { CreateSessions } from './0018_create_sessions.js';
import { LeaveTypesToTheirModules } from './0019_leave_types_to_their_modules.js';
import { CountAgeInTheClaim } from './0020_count_age_in_the_claim.js';
import { KeepAnAuditLog } from './0021_keep_an_audit_log.js';
import { TellOfDeletions } from './0023_tell_of_deletions.js';
import { GiveReasonsACode } from './0024_give_reasons_a_code.js';

/** Every migration, oldest first. Never edit one that was released: add the next. */
export const migrations = [
  { name: '0001_create_connections_and_authorizations', class: CreateConnectionsAndAuthorizations },
  { name: '0002_create_subscriptions_events_and_deliveries', class: CreateSubscriptionsEventsAndDeliveries },
  { name: '0003_lease_refreshes', class: LeaseRefreshes },
  { name: '0004_create_access_tokens_and_rate_limits', class: CreateAccessTokensAndRateLimits },
  { name: '0005_tell_of_changes', class: TellOfChanges },
  { name: '0006_remember_refresh_problems', class: RememberRefreshProblems },
  { name: '0007_keep_a_row_for_each_queue', class: KeepARowForEachQueue },
  { name: '0008_claim_from_ready_queues', class: ClaimFromReadyQueues },
  { name: '0009_keep_answers_true', class: KeepAnswersTrue },
  { name: '0010_bound_callers', class: BoundCallers },
  { name: '0011_keep_order_at_size', class: KeepOrderAtSize },
  { name: '0012_keep_answers_by_key', class: KeepAnswersByKey },
  { name: '0013_say_more_of_events', class: SayMoreOfEvents },
  { name: '0014_check_grants_and_keep_installs', class: CheckGrantsAndKeepInstalls },
  { name: '0015_share_klaviyo_quotas', class: ShareKlaviyoQuotas },
  { name: '0016_keep_what_failed_apart', class: KeepWhatFailedApart },
  { name: '0018_create_sessions', class: CreateSessions },
  { name: '0019_leave_types_to_their_modules', class: LeaveTypesToTheirModules },
  { name: '0020_count_age_in_the_claim', class: CountAgeInTheClaim },
  { name: '0021_keep_an_audit_log', class: KeepAnAuditLog },
  { name: '0023_tell_of_deletions', class: TellOfDeletions },
  { name: '0024_give_reasons_a_code', class: GiveReasonsACode },
] as const;
