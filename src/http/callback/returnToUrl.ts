import type { Authorization } from '../../domain/Authorization.js';
import { explainOutcome } from '../../oauth/explainOutcome.js';

/**
 * The app's page with the outcome: `connection` (its id), `outcome` (completed, denied or failed) and, if it went wrong,
 * `error_code` and `error_description`, which is a sentence or two of ours for the merchant.
 */
export function returnToUrl(authorization: Authorization, providerName: string): string | null {
  const { returnTo, connectionId, status, errorCode } = authorization;
  if (!returnTo) return null;
  const url = new URL(returnTo);
  if (connectionId) url.searchParams.set('connection', String(connectionId));
  url.searchParams.set('outcome', status);
  if (status !== 'completed' && errorCode) url.searchParams.set('error_code', errorCode);
  const description = explainOutcome(authorization, providerName);
  if (description) url.searchParams.set('error_description', description);
  return url.href;
}
