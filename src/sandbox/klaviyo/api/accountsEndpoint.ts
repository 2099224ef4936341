import type { KlaviyoContext } from '../klaviyoContext.js';
import type { ApiEndpoint } from './apiRoute.js';
import { JSON_API } from './jsonApiError.js';

/** GET /api/accounts: the account that the token belongs to, as a list of one. */
export const accountsEndpoint = ({ accounts, options }: KlaviyoContext): ApiEndpoint => ({
  method: 'GET',
  path: '/klaviyo/api/accounts',
  scope: 'accounts:read',
  limit: { perSecond: 1, perMinute: 15 },
  counter: 'accountRequests',
  handle: (_request, grant) => {
    const account = accounts.find(grant.accountId);
    const self = `${options.baseUrl()}/klaviyo/api/accounts`;
    const data = account && {
      type: 'account',
      id: account.id,
      attributes: {
        test_account: false,
        contact_information: {
          default_sender_name: account.name,
          default_sender_email: `hello@${account.id.toLowerCase()}.example`,
          website_url: `https://${account.id.toLowerCase()}.example`,
          organization_name: account.name,
          street_address: null,
        },
        industry: null,
        timezone: account.timezone,
        preferred_currency: account.currency,
        public_api_key: account.id,
        locale: account.locale,
      },
      links: { self: `${self}/${account.id}` },
    };
    return { status: 200, type: JSON_API, json: { data: data ? [data] : [], links: { self, next: null, prev: null } } };
  },
});
