import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { ConfigError } from '../../src/readEnvironment.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const SAFE = { ENCRYPTION_KEYS: `k1:${KEY}` };
const APP = { KLAVIYO_CLIENT_ID: 'id', KLAVIYO_CLIENT_SECRET: 'secret' };

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('It was accepted');
}

describe('Without any variable', () => {
  it('the server is embedded, with the sandbox, for this machine only', () => {
    expect(readConfig({})).toMatchObject({
      port: 4000,
      host: 'localhost',
      publicUrl: null,
      databaseUrl: null,
      databaseDirectUrl: null,
      databasePoolSize: 10,
      embedded: true,
      dataDir: expect.stringMatching(/\/\.data$/),
      role: 'all',
      encryptionKeys: null,
      sandbox: true,
      klaviyo: {
        app: null,
        authorizeUrl: 'https://www.klaviyo.com/oauth/authorize',
        apiUrl: 'https://a.klaviyo.com',
        revision: '2026-07-15',
        scopes: ['accounts:read', 'events:write'],
      },
      delivery: {
        retryDelaysMs: [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000],
        timeoutMs: 15_000,
        allowPrivateNetworks: [],
      },
      corsOrigins: [],
      returnToOrigins: [],
      installUrl: null,
      rateLimitPerMinute: 0,
      trustedProxies: [],
      metricsToken: null,
      accessTokensPerKey: 100,
      request: {
        bodyBytes: 8_388_608,
        restBodyBytes: 262_144,
        requestTimeoutMs: 30_000,
        documents: {
          ...{ maxDepth: 12, maxAliases: 30, maxCost: 20_000, maxTokens: 1_000 },
          budget: { rows: 10_000, bytes: 16_777_216 },
          introspectionsPerMinute: 30,
        },
      },
      retentionMs: 30 * 86_400_000,
      logLevel: 'info',
    });
  });

  it('an empty or blank variable counts as unset', () => {
    const names = [
      'PORT',
      'HOST',
      'PUBLIC_URL',
      'DATABASE_URL',
      'ROLE',
      'ENCRYPTION_KEYS',
      'KLAVIYO_CLIENT_ID',
      'KLAVIYO_API_URL',
    ];
    names.push('KLAVIYO_SCOPES', 'DELIVERY_RETRY_DELAYS', 'CORS_ORIGINS', 'LOG_LEVEL', 'ALLOW_PRIVATE_NETWORKS');
    for (const blank of ['', ' ']) {
      expect(readConfig(Object.fromEntries(names.map((name) => [name, blank])))).toEqual(readConfig({}));
    }
  });
});

describe('A wrong value is refused in one line that names the variable, its value and what is expected', () => {
  it.each<[string, string, string]>([
    ['PORT', 'http', 'a whole number from 0 to 65535'],
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['PORT', '4000.5', 'a whole number from 0 to 65535'],
    ['PORT', '0x10', 'a whole number from 0 to 65535'],
    ['PUBLIC_URL', 'switchboard.example', 'an origin such as https://app.example.com, without a path'],
    ['PUBLIC_URL', 'localhost:4000', 'an origin'],
    ['PUBLIC_URL', 'https://switchboard.example/app', 'an origin'],
    ['PUBLIC_URL', 'ftp://switchboard.example', 'an origin'],
    ['PUBLIC_URL', 'https://user@switchboard.example', 'an origin'],
    ['ROLE', 'boss', 'one of all, api, worker'],
    ['LOG_LEVEL', 'verbose', 'one of trace, debug, info, warn, error, fatal, silent'],
    ['KLAVIYO_AUTHORIZE_URL', 'http://klaviyo.example/authorize', 'an https URL (plain http is for loopback only)'],
    ['KLAVIYO_AUTHORIZE_URL', 'https://klaviyo.example/#x', 'an https URL'],
    ['KLAVIYO_API_URL', 'a.klaviyo.com', 'an https URL'],
    ['KLAVIYO_API_URL', 'http://127.0.0.1.evil.example', 'an https URL'],
    ['KLAVIYO_API_URL', 'https://user:pass@a.klaviyo.com', 'an https URL'],
    ['KLAVIYO_REVISION', 'latest', 'a date such as 2026-07-15'],
    ['KLAVIYO_REVISION', '2026-07-15\r\nx: y', 'a date such as 2026-07-15'],
    ['KLAVIYO_SCOPES', 'accounts:read "events:write"', 'scopes such as accounts:read events:write'],
    ['KLAVIYO_SCOPES', ',', 'scopes such as'],
    ['KLAVIYO_BACKFILL_AFTER', 'a week', 'a duration such as 24h'],
    ['KLAVIYO_BACKFILL_AFTER', '366d', 'a duration such as 24h'],
    ['DELIVERY_RETRY_DELAYS', '5s,5', 'durations such as 5s,5m,2h, separated by commas'],
    ['DELIVERY_RETRY_DELAYS', '5s,,5m', 'durations such as'],
    ['DELIVERY_TIMEOUT_MS', '99', 'a whole number from 100 to 120000'],
    ['DELIVERY_CONCURRENCY', '0', 'a whole number from 1 to 10000'],
    ['DELIVERY_CONCURRENCY_PER_CONNECTION', '1e3', 'a whole number from 1 to 10000'],
    ['ALLOW_PRIVATE_NETWORKS', '10.0.0.1', 'CIDRs such as 127.0.0.0/8,10.1.0.0/16'],
    ['ALLOW_PRIVATE_NETWORKS', '10.0.0.0/33', 'CIDRs'],
    ['CORS_ORIGINS', '*', 'an origin'],
    ['CORS_ORIGINS', 'https://app.example.com/x', 'an origin'],
    ['RETURN_TO_ORIGINS', 'https://app.example.com,app2.example.com', 'an origin'],
    ['RETURN_TO_ORIGINS', 'javascript:alert(1)', 'an origin'],
    ['INSTALL_URL', 'app.example.com', 'a URL that begins with https:// or http://'],
    ['INSTALL_URL', 'javascript:alert(1)', 'a URL that begins with'],
    ['RATE_LIMIT_PER_MINUTE', 'none', 'a whole number from 0 to 1000000'],
    ['TRUSTED_PROXIES', 'loopback', 'CIDRs such as'],
    ['INTROSPECTIONS_PER_MINUTE', '-1', 'a whole number from 0 to 1000000'],
    ['ACCESS_TOKENS_PER_KEY', '0', 'a whole number from 1 to 1000000'],
    ['GRAPHQL_MAX_ROWS', '0', 'a whole number from 1 to 1000000000'],
    ['GRAPHQL_MAX_ANSWER_BYTES', '16M', 'a whole number from 1024 to 1073741824'],
    ['RETENTION_DAYS', '0', 'a whole number from 1 to 3650'],
    ['DATABASE_POOL_SIZE', '1', 'a whole number from 2 to 1000'],
  ])('%s=%j', (name, value, wants) => {
    const message = refusal({ ...APP, [name]: value });
    expect(message).toContain(`${name} got ${JSON.stringify(value)}, but wants ${wants}`);
    expect(message).toMatch(/\.$/);
    expect(message).not.toContain('\n');
  });

  it.each([
    ['DATABASE_URL', 'mysql://me:hunter2-secret@db/x', 'a URL that begins with postgres:// or postgresql://'],
    ['DATABASE_URL', 'hunter2-secret', 'a URL that begins with postgres://'],
    ['DATABASE_DIRECT_URL', 'hunter2-secret', 'a URL that begins with postgres://'],
    ['ENCRYPTION_KEYS', `k1:${Buffer.alloc(31, 1).toString('base64')}`, 'id:base64 of 32 bytes'],
    ['ENCRYPTION_KEYS', KEY, 'id:base64 of 32 bytes'],
    ['ENCRYPTION_KEYS', `k1:${KEY},k1:${KEY}`, 'id:base64 of 32 bytes'],
    ['ENCRYPTION_KEYS', `k.1:${KEY}`, 'id:base64 of 32 bytes'],
    ['ENCRYPTION_KEYS', `k1:${KEY},`.repeat(2), 'id:base64 of 32 bytes'],
    ['ENCRYPTION_KEYS', ',', 'id:base64 of 32 bytes'],
    ['SANDBOX_CLIENT_SECRET', 'hunter2 hunter2', '8 to 500 characters without spaces'],
    ['METRICS_TOKEN', 'hunter2', '16 to 512 characters without spaces'],
    ['METRICS_TOKEN', 'hunter2 hunter2 hunter2', '16 to 512 characters without spaces'],
  ])('%s holds a secret, so what it got is not shown', (name, value, wants) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`${name} got "(hidden)", but wants ${wants}`);
    for (const secret of ['hunter2', KEY.slice(0, 12)]) expect(message).not.toContain(secret);
  });
});

describe("A database URL's TLS parameters are checked, and the rest of it is not shown", () => {
  it.each(['DATABASE_URL', 'DATABASE_DIRECT_URL'])('%s', (name) => {
    const url = 'postgres://me:hunter2@db/x';
    expect(refusal({ [name]: `${url}?sslmode=verify_full` })).toBe(
      `${name} got "…sslmode=verify_full", but wants one of disable, prefer, require, verify-ca, verify-full, no-verify for sslmode.`,
    );
    expect(refusal({ [name]: `${url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem` })).toBe(
      `${name} got "…sslrootcert=/nowhere/ca.pem", but wants a file that can be read for sslrootcert.`,
    );
  });
});

describe('Some variables require others:', () => {
  it('the sandbox with a DATABASE_URL must be turned on, and excludes a real Klaviyo', () => {
    const DATABASE_URL = 'postgres://localhost/switchboard';
    expect(readConfig({ ...SAFE, DATABASE_URL })).toMatchObject({ sandbox: false, klaviyo: { app: null } });
    expect(readConfig({ ...SAFE, DATABASE_URL, SANDBOX: 'on' })).toMatchObject({ sandbox: true });
    expect(readConfig({ SANDBOX: 'off' })).toMatchObject({ embedded: true, sandbox: false });
    expect(readConfig(APP)).toMatchObject({ sandbox: false });
    expect(refusal({ ...APP, SANDBOX: 'on' })).toMatch(/^SANDBOX is on, but KLAVIYO_CLIENT_ID is set/);
    expect(refusal({ SANDBOX: 'yes' })).toContain('SANDBOX got "yes", but wants one of on, off');
  });

  it('DATABASE_DIRECT_URL requires DATABASE_URL', () => {
    expect(refusal({ ...SAFE, DATABASE_DIRECT_URL: 'postgres://localhost/switchboard' })).toMatch(/^DATABASE_URL is not set/);
  });

  it('DATABASE_URL requires ENCRYPTION_KEYS: secrets are never stored in the clear', () => {
    const message = refusal({ DATABASE_URL: 'postgres://me:hunter2@localhost/switchboard' });
    expect(message).toMatch(/^ENCRYPTION_KEYS is not set, but DATABASE_URL is/);
    expect(message).not.toMatch(/\n|hunter2/);
    expect(readConfig({ ...SAFE, DATABASE_URL: 'postgres://localhost/switchboard' })).toMatchObject({
      embedded: false,
      host: '0.0.0.0',
      encryptionKeys: [{ id: 'k1', key: Buffer.alloc(32, 1) }],
    });
  });

  it("the sandbox's app requires the sandbox", () => {
    const environment = {
      SANDBOX_CLIENT_ID: 'my-app',
      SANDBOX_CLIENT_SECRET: 'my-secret',
      SANDBOX_REDIRECT_URIS: 'http://localhost:3000/callback, https://app.example.com/cb?a=b',
    };
    expect(readConfig(environment).sandboxApp).toEqual({
      clientId: 'my-app',
      clientSecret: 'my-secret',
      redirectUris: ['http://localhost:3000/callback', 'https://app.example.com/cb?a=b'],
    });
    expect(readConfig({}).sandboxApp).toEqual({ clientId: null, clientSecret: null, redirectUris: [] });
    for (const [name, value] of Object.entries(environment)) {
      expect(refusal({ ...APP, [name]: value })).toMatch(new RegExp(`^${name} is set, but the sandbox is off`));
    }
    expect(refusal({ SANDBOX_CLIENT_ID: 'a:b' })).toContain('SANDBOX_CLIENT_ID got "a:b", but wants up to 200 characters');
    for (const uri of ['javascript:alert(1)', 'localhost:3000', 'https://a.example/#b']) {
      expect(refusal({ SANDBOX_REDIRECT_URIS: uri })).toContain(
        `SANDBOX_REDIRECT_URIS got "${uri}", but wants http or https URLs`,
      );
    }
  });

  it.each(['KLAVIYO_CLIENT_SECRET', 'KLAVIYO_AUTHORIZE_URL', 'KLAVIYO_API_URL'])('%s requires KLAVIYO_CLIENT_ID', (name) => {
    const message = refusal({ [name]: 'https://klaviyo.example' });
    expect(message).toContain('KLAVIYO_CLIENT_ID is not set');
    expect(message).toContain(name);
  });

  it('KLAVIYO_CLIENT_ID requires KLAVIYO_CLIENT_SECRET', () => {
    expect(refusal({ KLAVIYO_CLIENT_ID: 'id' })).toMatch(/^KLAVIYO_CLIENT_SECRET is not set, but KLAVIYO_CLIENT_ID is/);
  });
});

describe('Valid values', () => {
  it('are read as documented', () => {
    expect(
      readConfig({
        ...APP,
        PORT: ' 0 ',
        PUBLIC_URL: 'https://Switchboard.example/',
        KLAVIYO_AUTHORIZE_URL: 'http://localhost:8080/authorize/',
        KLAVIYO_API_URL: 'http://[::1]:8080/base/',
        KLAVIYO_REVISION: '2024-10-15.pre',
        KLAVIYO_SCOPES: 'lists:read, push-tokens:write',
        DELIVERY_RETRY_DELAYS: '100ms, 1d',
        ALLOW_PRIVATE_NETWORKS: '10.1.0.0/16 fd00::/8',
        RETURN_TO_ORIGINS: 'https://one.example http://localhost:3000,https://two.example:8443',
        ENCRYPTION_KEYS: `new:${KEY}, old:${Buffer.alloc(32, 2).toString('base64')}`,
      }),
    ).toMatchObject({
      port: 0,
      publicUrl: 'https://switchboard.example',
      klaviyo: {
        app: { clientId: 'id', clientSecret: 'secret' },
        // This URL may end in a slash. A URL that paths are added to must not, since they would begin with two.
        authorizeUrl: 'http://localhost:8080/authorize/',
        apiUrl: 'http://[::1]:8080/base',
        revision: '2024-10-15.pre',
        scopes: ['lists:read', 'push-tokens:write'],
      },
      delivery: { retryDelaysMs: [100, 86_400_000], allowPrivateNetworks: ['10.1.0.0/16', 'fd00::/8'] },
      returnToOrigins: ['https://one.example', 'http://localhost:3000', 'https://two.example:8443'],
      encryptionKeys: [{ id: 'new' }, { id: 'old' }],
    });
  });
});

describe('A misspelled variable', () => {
  it.each([
    ['DATBASE_URL', 'DATABASE_URL'],
    ['DATABASE_UR', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['ENCRYPTION_KEY', 'ENCRYPTION_KEYS'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['KLAVIYO_CLIENTID', 'KLAVIYO_CLIENT_ID'],
    ['PROT', 'PORT'],
    ['ROLES', 'ROLE'],
    ['RETENTION_DAY', 'RETENTION_DAYS'],
  ])('%s is told to mean %s', (given, meant) => {
    expect(readConfig({ [given]: 'x' }).misspelled).toEqual([{ given, meant }]);
  });

  it('is not one of ours, and not one that is common in environments', () => {
    const everyday = [
      'PATH',
      'HOME',
      'PWD',
      'USER',
      'SHELL',
      'TERM',
      'LANG',
      'MAIL',
      'HOSTNAME',
      'LOGNAME',
      'NODE_ENV',
      'CI',
      'EDITOR',
    ];
    const ours = { PORT: '4000', HOST: 'localhost', ROLE: 'all', LOG_LEVEL: 'info', DATA_DIR: '.data' };
    const foreign = ['PGHOST', 'PGPORT', 'DATABASE_NAME', 'REDIS_URL', 'PUBLIC_IP', 'npm_config_cache', 'XDG_DATA_DIRS'];
    const environment = { ...ours, ...Object.fromEntries([...everyday, ...foreign].map((name) => [name, 'x'])) };
    expect(readConfig(environment).misspelled).toEqual([]);
  });
});
