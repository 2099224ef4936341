import type { Authorization } from '../../domain/Authorization.js';

/** The app's page with the outcome: `connection` (its id), `outcome` (completed, denied or failed) and, if it went wrong, `error_code`. */
export function returnToUrl({ returnTo, connectionId, status, errorCode }: Authorization): string | null {
  if (!returnTo) return null;
  const url = new URL(returnTo);
  if (connectionId) url.searchParams.set('connection', String(connectionId));
  url.searchParams.set('outcome', status);
  if (status !== 'completed' && errorCode) url.searchParams.set('error_code', errorCode);
  return url.href;
}
