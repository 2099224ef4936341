import { resolve } from 'node:path';
import { DAY_MS } from './domain/duration.js';
import { SCOPE_TOKEN } from './domain/ProviderScope.js';
import { ConfigError, readEnvironment } from './readEnvironment.js';

export const ROLES = ['all', 'api', 'worker'] as const;
export type Role = (typeof ROLES)[number];
const SWITCH = ['on', 'off'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const KLAVIYO_AUTHORIZE_URL = 'https://www.klaviyo.com/oauth/authorize';
const KLAVIYO_API_URL = 'https://a.klaviyo.com';
const KLAVIYO_REVISION = '2026-07-15';
/** With this size, four processes of any role fit into the hundred connections that Postgres allows by default. */
const DEFAULT_POOL_SIZE = 10;

export type Config = ReturnType<typeof readConfig>;

/**
 * Reads and checks the whole environment once (README lists every variable). Throws a ConfigError whose message is one line: the
 * variable, its value, and what is expected.
 */
export function readConfig(environment: NodeJS.ProcessEnv) {
  const env = readEnvironment(environment);
  const port = env.integer('PORT', 4000, { min: 0, max: 65_535 });
  const databaseUrl = env.databaseUrl('DATABASE_URL');
  const databaseDirectUrl = env.databaseUrl('DATABASE_DIRECT_URL');
  const encryptionKeys = env.encryptionKeys('ENCRYPTION_KEYS');
  const clientId = env.text('KLAVIYO_CLIENT_ID');
  const clientSecret = env.text('KLAVIYO_CLIENT_SECRET');

  if (databaseUrl && !encryptionKeys) {
    throw new ConfigError(
      'ENCRYPTION_KEYS is not set, but DATABASE_URL is: tokens are never stored in the clear. It wants id:base64 of 32 bytes, for example ENCRYPTION_KEYS="k1:$(openssl rand -base64 32)".',
    );
  }
  if (databaseDirectUrl && !databaseUrl) {
    throw new ConfigError('DATABASE_URL is not set, but DATABASE_DIRECT_URL is: it wants the address of the pooler before it.');
  }
  if (clientId && !clientSecret) {
    throw new ConfigError('KLAVIYO_CLIENT_SECRET is not set, but KLAVIYO_CLIENT_ID is: it wants the secret of that Klaviyo app.');
  }

  const needingApp = ['KLAVIYO_CLIENT_SECRET', 'KLAVIYO_AUTHORIZE_URL', 'KLAVIYO_API_URL'].find((name) => env.text(name));
  if (!clientId && needingApp) {
    throw new ConfigError(`KLAVIYO_CLIENT_ID is not set, but ${needingApp} is: it wants the client id of your app there.`);
  }

  const sandbox = env.choice('SANDBOX', SWITCH, clientId || databaseUrl ? 'off' : 'on') === 'on';
  if (clientId && sandbox) {
    throw new ConfigError(
      'SANDBOX is on, but KLAVIYO_CLIENT_ID is set: it wants one of the two, the stand-in or the real Klaviyo.',
    );
  }

  const needingSandbox = ['SANDBOX_CLIENT_ID', 'SANDBOX_CLIENT_SECRET', 'SANDBOX_REDIRECT_URIS'].find((name) => env.text(name));
  if (!sandbox && needingSandbox) {
    throw new ConfigError(`${needingSandbox} is set, but the sandbox is off: it wants SANDBOX=on, and no Klaviyo app.`);
  }

  const config = {
    port,
    /** Embedded mode shows its keys in GraphiQL, so by default only this machine may connect. */
    host: env.text('HOST') ?? (databaseUrl ? '0.0.0.0' : 'localhost'),
    /** The URL at which browsers reach this server; null: http://localhost and the port. */
    publicUrl: env.origin('PUBLIC_URL'),
    databaseUrl,
    /** Bypasses a pooler at `databaseUrl`; null when there is none. */
    databaseDirectUrl,
    databasePoolSize: env.integer('DATABASE_POOL_SIZE', DEFAULT_POOL_SIZE, { min: 2, max: 1_000 }),
    /** True when this process runs its own Postgres. */
    embedded: databaseUrl === null,
    dataDir: resolve(env.text('DATA_DIR') ?? '.data'),
    role: env.choice('ROLE', ROLES, 'all'),
    encryptionKeys,
    /** Whether to serve the local stand-in for Klaviyo, which everybody who reaches this server may use. */
    sandbox,
    /**
     * The sandbox's own app, which other clients may also use; null: a fixed id, and a generated secret that is kept with the
     * data.
     */
    sandboxApp: {
      clientId: env.matching(
        'SANDBOX_CLIENT_ID',
        /^[\x21-\x39\x3b-\x7e]{1,200}$/,
        'up to 200 characters without spaces and colons',
      ),
      clientSecret: env.matching('SANDBOX_CLIENT_SECRET', /^[\x21-\x7e]{8,500}$/, '8 to 500 characters without spaces', true),
      redirectUris: env.redirectUris('SANDBOX_REDIRECT_URIS'),
    },
    klaviyo: {
      /** Null: the sandbox is used instead, or there is no Klaviyo. */
      app: clientId && clientSecret ? { clientId, clientSecret } : null,
      authorizeUrl: env.providerUrl('KLAVIYO_AUTHORIZE_URL', KLAVIYO_AUTHORIZE_URL),
      apiUrl: env.providerUrl('KLAVIYO_API_URL', KLAVIYO_API_URL).replace(/\/+$/, ''),
      revision: env.revision('KLAVIYO_REVISION', KLAVIYO_REVISION),
      scopes: env.words('KLAVIYO_SCOPES', ['accounts:read', 'events:write'], {
        form: SCOPE_TOKEN,
        wants: 'scopes such as accounts:read events:write',
      }),
      /** An event older than this at the time of sending triggers no flow in Klaviyo. */
      backfillAfterMs: env.duration('KLAVIYO_BACKFILL_AFTER', '24h'),
    },
    delivery: {
      retryDelaysMs: env.durations('DELIVERY_RETRY_DELAYS', '5s,5m,30m,2h,5h'),
      timeoutMs: env.integer('DELIVERY_TIMEOUT_MS', 15_000, { min: 100, max: 120_000 }),
      concurrency: env.integer('DELIVERY_CONCURRENCY', 256, { min: 1, max: 10_000 }),
      concurrencyPerConnection: env.integer('DELIVERY_CONCURRENCY_PER_CONNECTION', 64, { min: 1, max: 10_000 }),
      maxAgeMs: env.integer('DELIVERY_MAX_AGE_DAYS', 30, { min: 1, max: 3_650 }) * DAY_MS,
      maxWaiting: env.integer('MAX_WAITING_DELIVERIES', 5_000_000, { min: 0, max: 1_000_000_000 }),
      allowPrivateNetworks: env.cidrs('ALLOW_PRIVATE_NETWORKS'),
    },
    trustedProxies: env.cidrs('TRUSTED_PROXIES'),
    metricsToken: env.secret('METRICS_TOKEN'),
    accessTokensPerKey: env.integer('ACCESS_TOKENS_PER_KEY', 100, { min: 1, max: 1_000_000 }),
    sessionsPerOrganization: env.integer('SESSIONS_PER_ORGANIZATION', 10_000, { min: 1, max: 1_000_000 }),
    sessionRateLimitPerMinute: env.integer('SESSION_RATE_LIMIT_PER_MINUTE', 120, { min: 0, max: 1_000_000 }),
    corsOrigins: env.origins('CORS_ORIGINS'),
    returnToOrigins: env.origins('RETURN_TO_ORIGINS'),
    installUrl: env.url('INSTALL_URL', { protocols: ['https:', 'http:'] }),
    rateLimitPerMinute: env.integer('RATE_LIMIT_PER_MINUTE', 0, { min: 0, max: 1_000_000 }),
    failedLoginsPerMinute: env.integer('FAILED_LOGINS_PER_MINUTE', 30, { min: 0, max: 1_000_000 }),
    request: {
      /** By default enough for 1,000 events of a few kilobytes each. */
      bodyBytes: env.integer('BODY_LIMIT_BYTES', 8 * 1024 * 1024, { min: 1_024, max: 1024 * 1024 * 1024 }),
      restBodyBytes: env.integer('REST_BODY_LIMIT_BYTES', 256 * 1024, { min: 1_024, max: 1024 * 1024 * 1024 }),
      requestTimeoutMs: env.integer('REQUEST_TIMEOUT_MS', 30_000, { min: 100, max: 3_600_000 }),
      documents: {
        maxDepth: env.integer('GRAPHQL_MAX_DEPTH', 12, { min: 1, max: 1_000 }),
        maxAliases: env.integer('GRAPHQL_MAX_ALIASES', 30, { min: 0, max: 100_000 }),
        maxCost: env.integer('GRAPHQL_MAX_COST', 20_000, { min: 1, max: 1_000_000_000 }),
        maxTokens: env.integer('GRAPHQL_MAX_TOKENS', 1_000, { min: 1, max: 1_000_000 }),
        /** What one operation may read and return. By default the response may be twice as large as a request. */
        budget: {
          rows: env.integer('GRAPHQL_MAX_ROWS', 10_000, { min: 1, max: 1_000_000_000 }),
          bytes: env.integer('GRAPHQL_MAX_ANSWER_BYTES', 16 * 1024 * 1024, { min: 1_024, max: 1024 * 1024 * 1024 }),
        },
        introspectionsPerMinute: env.integer('INTROSPECTIONS_PER_MINUTE', 30, { min: 0, max: 1_000_000 }),
      },
    },
    liveWatchesPerOrganization: env.integer('LIVE_WATCHES_PER_ORGANIZATION', 200, { min: 0, max: 1_000_000 }),
    /** Who asks a merchant, on the page where accounts are connected. */
    brand: { name: env.text('APP_NAME') ?? 'Switchboard', logo: env.image('APP_LOGO') },
    retentionMs: env.integer('RETENTION_DAYS', 30, { min: 1, max: 3_650 }) * DAY_MS,
    logLevel: env.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
  };
  return {
    ...config,
    /** Variables whose names look like misspelled ones of ours. */
    misspelled: env.misspelled(),
  };
}
