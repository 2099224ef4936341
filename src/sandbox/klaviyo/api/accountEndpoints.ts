import type { Answer } from '../../web.js';
import type { SandboxAccount } from '../accountBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import type { ApiEndpoint } from './apiRoute.js';
import { JSON_API, notFound } from './jsonApi.js';
import { readingQuery, type SparseFields, sparse } from './readQuery.js';

const FIELDS = ['test_account', 'contact_information', 'industry', 'timezone', 'preferred_currency', 'public_api_key', 'locale'];

/** GET /api/accounts and GET /api/accounts/{id}: the account of the token, and no other. */
export function accountEndpoints({ accounts, options }: KlaviyoContext): ApiEndpoint[] {
  const self = () => `${options.baseUrl()}/klaviyo/api/accounts`;
  const common = {
    method: 'GET',
    scope: 'accounts:read',
    limit: { perSecond: 1, perMinute: 15 },
    counter: 'accountRequests',
  } as const;
  const answer = (json: unknown): Answer => ({ status: 200, type: JSON_API, json });
  const query = { fields: { account: FIELDS } };

  return [
    {
      ...common,
      path: '/klaviyo/api/accounts',
      handle: (request, grant) =>
        readingQuery(request, query, ({ fields }) => {
          const account = accounts.find(grant.accountId);
          const data = account ? [accountResource(account, self(), fields)] : [];
          return answer({ data, links: { self: self(), next: null, prev: null } });
        }),
    },
    {
      ...common,
      path: '/klaviyo/api/accounts/:id',
      handle: (request, grant) =>
        readingQuery(request, query, ({ fields }) => {
          const { id } = request.params as { id: string };
          const account = id === grant.accountId ? accounts.find(id) : undefined;
          if (!account) return notFound('An account with this id does not exist, or is not the one of the access token.');
          const data = accountResource(account, self(), fields);
          return answer({ data, links: data.links });
        }),
    },
  ];
}

const accountResource = (account: SandboxAccount, self: string, fields: SparseFields) => ({
  type: 'account',
  id: account.id,
  attributes: sparse(fields.account, {
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
  }),
  links: { self: `${self}/${account.id}` },
});
