import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { Provider } from './Provider.js';
import { ProviderError } from './ProviderError.js';

/**
 * The provider, which from now on raises an alarm whenever it refuses our own client id or secret, whatever was asked of
 * it: an exchange, a refresh or a revocation. What it grants with them ends the alarm.
 */
export function raisingAlarms(provider: Provider, alarm: OperatorAlarm): Provider {
  const name = `${provider.id}-configuration`;
  const watched = async <Answer>(call: Promise<Answer>): Promise<Answer> => {
    try {
      const answer = await call;
      alarm.clear(name);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError && error.kind === 'configuration') alarm.raise(name, error.message);
      throw error;
    }
  };
  const { id, clientId, redirectUri, scopes, defaultScopes, deliveryScope, sandbox } = provider;
  return {
    ...{ id, name: provider.name, clientId, redirectUri, scopes, defaultScopes, deliveryScope, sandbox },
    isIssuer: (iss) => provider.isIssuer(iss),
    authorizationUrl: (request) => provider.authorizationUrl(request),
    exchange: (grant) => watched(provider.exchange(grant)),
    refresh: (refreshToken) => watched(provider.refresh(refreshToken)),
    revoke: (token, hint) => watched(provider.revoke(token, hint)),
    // With the merchant's token, which says nothing of ours.
    account: (accessToken, accountId) => provider.account(accessToken, accountId),
  };
}
