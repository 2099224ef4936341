import type { ConnectionServices, ConnectionType } from '../ConnectionType.js';
import type { Credential } from '../domain/Credential.js';
import { scopesToRequest } from '../oauth/startAuthorization.js';
import { checkKlaviyo, type KlaviyoInput, type StoredKlaviyo, warnOfScopes } from './checkKlaviyoConfiguration.js';
import { type BoundedFetch, createBoundedFetch } from './createBoundedFetch.js';
import { KlaviyoDestination } from './KlaviyoDestination.js';
import { KlaviyoOAuth } from './KlaviyoOAuth.js';
import { type KlaviyoQuota, KlaviyoRateLimits, readKlaviyoQuotas, sweepKlaviyoQuotas } from './KlaviyoRateLimits.js';
import { klaviyoGraphQL } from './klaviyoSchema.js';

/** The Klaviyo that this server uses, and its app there. */
export interface KlaviyoPlace {
  /** Null when this server has no Klaviyo app. */
  readonly app: { readonly clientId: string; readonly clientSecret: string } | null;
  readonly authorizeUrl: string;
  readonly apiUrl: string;
  /** True for the sandbox. */
  readonly sandbox: boolean;
  /** Wraps the fetch for requests to `apiUrl`. */
  readonly reach: (fetch: BoundedFetch) => BoundedFetch;
  readonly revision: string;
  /** Scopes of a connection that names none of its own. */
  readonly scopes: readonly string[];
  readonly backfillAfterMs: number;
}

/** What the Klaviyo connection type needs from a process. */
export interface KlaviyoServices extends ConnectionServices {
  readonly klaviyo: KlaviyoPlace;
}

/** Maximum milliseconds of a request to the OAuth endpoints or the accounts API. */
const OAUTH_TIMEOUT_MS = 10_000;
const OAUTH_ANSWER_BYTES = 64 * 1024;
const EVENTS_TIMEOUT_MS = 10_000;
/** A refused bulk request has an error for each of up to 1,000 events. */
const EVENTS_ANSWER_BYTES = 1024 * 1024;

/** The connection type for a merchant's Klaviyo account, linked by OAuth. */
export const klaviyoType: ConnectionType<KlaviyoServices> = {
  name: 'klaviyo',
  needsAuthorization: true,
  needsConfiguration: false,
  graphql: klaviyoGraphQL,
  rest: {
    label: 'Klaviyo',
    createSchema: {
      type: 'object',
      description: 'Empty: Klaviyo is linked by OAuth.',
      additionalProperties: false,
      properties: {},
    },
    updateFields: {},
    answerFields: {},
    answerDescription: 'empty for Klaviyo',
    toInput: () => undefined,
    present: () => ({}),
  },
  open(services) {
    const { database, workDatabase, cipher, timeoutMs, accessToken, scopeMissing } = services;
    const { apiUrl, revision, reach, backfillAfterMs } = services.klaviyo;
    const provider = openProvider(services);
    const readQuotas = async (accounts: readonly string[]) =>
      Map.groupBy(await readKlaviyoQuotas(database, accounts), ({ account }) => account);
    return {
      provider,
      destination: new KlaviyoDestination({
        ...{ apiUrl, revision, cipher, backfillAfterMs, accessToken, scopeMissing },
        fetch: reach(
          createBoundedFetch({ timeoutMs: Math.min(timeoutMs, EVENTS_TIMEOUT_MS), maxBodyBytes: EVENTS_ANSWER_BYTES }),
        ),
        limits: new KlaviyoRateLimits(workDatabase),
      }),
      check: (input, stored, problems) => checkKlaviyo(input as KlaviyoInput, stored as StoredKlaviyo | null, provider, problems),
      warn: (input) => warnOfScopes(input as KlaviyoInput, provider),
      async show(connection, facts) {
        const [credential, isSubscribed] = await Promise.all([facts.credential(), facts.isSubscribed()]);
        const account = accountOf(credential);
        const quotaOf = (endpoint: KlaviyoQuota['endpoint']) => async () => {
          const quotas = account && (await facts.look(readQuotas, account.id));
          return quotas?.find((quota) => quota.endpoint === endpoint) ?? null;
        };
        const requestedScopes = scopesToRequest(provider, connection, isSubscribed);
        const grantedScopes = credential?.scopes ?? [];
        return {
          __typename: 'KlaviyoConfiguration',
          requestedScopes,
          grantedScopes,
          missingScopes: credential?.accessToken ? requestedScopes.filter((scope) => !grantedScopes.includes(scope)) : [],
          account,
          accessTokenExpiresAt: credential?.accessToken ? credential.expiresAt : null,
          lastRefreshedAt: credential?.lastRefreshedAt ?? null,
          lastCheckedAt: credential?.checkedAt ?? null,
          quota: quotaOf('events'),
          bulkQuota: quotaOf('bulk'),
        };
      },
      chores: [{ name: 'sweep-klaviyo-quotas', cron: '53 * * * *', work: () => sweepKlaviyoQuotas(database) }],
    };
  },
};

function openProvider({ database, klaviyo, redirectUri }: KlaviyoServices): KlaviyoOAuth | null {
  const { app, authorizeUrl, apiUrl, sandbox, revision, scopes, reach } = klaviyo;
  if (!app) return null;
  return new KlaviyoOAuth({
    ...{ ...app, authorizeUrl, apiUrl, sandbox, revision },
    redirectUri: redirectUri('klaviyo'),
    defaultScopes: scopes,
    fetch: reach(createBoundedFetch({ timeoutMs: OAUTH_TIMEOUT_MS, maxBodyBytes: OAUTH_ANSWER_BYTES })),
    limits: new KlaviyoRateLimits(database),
  });
}

function accountOf(credential: Credential | null) {
  if (!credential?.accountId) return null;
  return { id: credential.accountId, name: credential.accountName ?? null, timezone: credential.accountTimezone ?? null };
}
