import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { type ApiKeyScope, PLATFORM_SCOPE, TOKEN_SCOPES } from '../domain/ApiKey.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { type ErrorFacts, SwitchboardError } from '../domain/errors.js';
import { SESSION_TOKEN_PREFIX } from '../domain/Session.js';
import { hashSecret, secretsEqual } from '../domain/secrets.js';
import { type AccessDependencies, countHit } from './limits.js';
import { findSession } from './sessions.js';

/** RFC 6750 2.1. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]{1,512}=*) *$/i;

const OAUTH_ONLY =
  'This key is for OAuth only: get an access token at POST /oauth2/token, and send "Authorization: Bearer <access token>".';

/**
 * Identifies the caller by the `Authorization` header: Basic keys (RFC 7617), or the Bearer token of an access token or a
 * session (RFC 6750). `address` is where the call comes from; failed logins are counted by it. Credentials of an
 * organization that is being deleted are invalid. Returns null without a header. Throws UNAUTHENTICATED for invalid
 * credentials, SESSION_EXPIRED, SESSION_ENDED, and RATE_LIMITED when the address guesses.
 */
export async function authenticate(
  dependencies: AccessDependencies,
  header: string | undefined,
  address: string,
): Promise<Caller | Platform | null> {
  if (header === undefined || header === '') return null;
  const token = BEARER.exec(header)?.[1];
  if (token?.startsWith(SESSION_TOKEN_PREFIX)) return checkSession(dependencies, token, address);
  if (token !== undefined) return checkAccessToken(dependencies, token, address);
  const basic = readBasicCredentials(header);
  if (!basic) throw wrongCredentials();
  const { oauthOnly, ...caller } = await checkApiKey(dependencies, basic, address);
  if (oauthOnly) throw new SwitchboardError('UNAUTHENTICATED', OAUTH_ONLY);
  return caller;
}

export interface BasicCredentials {
  readonly publicKey: string;
  readonly secret: string;
}

/** Reads `Authorization: Basic` (RFC 7617 2). Returns null for any other header. */
export function readBasicCredentials(header: string): BasicCredentials | null {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return null;
  const [publicKey = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(/:(.*)/s);
  return { publicKey, secret };
}

/** The hash to compare with when the public key is unknown, so that an unknown key takes as long as a wrong secret. */
const NOBODY = hashSecret('nobody has this secret');

/** The form of our public keys. Postgres refuses a text with NUL. */
const PUBLIC_KEY = /^[\w-]{1,100}$/;

interface ApiKeyRow {
  readonly id: string;
  /** Null for a platform's key. */
  readonly organization_id: string | null;
  readonly secret_hash: string;
  readonly scopes: string[];
  readonly oauth_only: boolean;
  readonly revoked_at: Date | null;
  readonly use_is_stale: boolean;
  readonly is_ending: boolean;
}

type CheckedApiKey = (Caller | Platform) & { readonly oauthOnly: boolean };

/**
 * Returns whose keys these are. They are read from Postgres every time, so that a revoked key stops working at once in every
 * process. Throws UNAUTHENTICATED, or RATE_LIMITED for an address that guesses.
 */
export async function checkApiKey(
  dependencies: AccessDependencies,
  { publicKey, secret }: BasicCredentials,
  address: string,
): Promise<CheckedApiKey> {
  if (!PUBLIC_KEY.test(publicKey)) return refuseCredentials(dependencies, address);
  const { rows } = await sql<ApiKeyRow>`
    select id, organization_id, secret_hash, scopes, oauth_only, revoked_at, ${useIsStale} as use_is_stale,
      ${isEnding} as is_ending
    from api_keys where public_key = ${publicKey}`.execute(dependencies.database.sql());
  const [row] = rows;
  const matches = secretsEqual(hashSecret(secret), row?.secret_hash ?? NOBODY);
  if (!row || !matches) return refuseCredentials(dependencies, address);
  // The secret is correct, so the caller is not guessing and no failed login is counted.
  if (row.revoked_at || row.is_ending) throw wrongCredentials();
  await noteUse(dependencies, row);
  if (row.organization_id === null) {
    return {
      organizationId: null,
      apiKeyId: Number(row.id),
      scopes: new Set([PLATFORM_SCOPE]),
      credential: 'platform_key',
      address,
      session: null,
      oauthOnly: row.oauth_only,
    };
  }
  return {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.id),
    scopes: new Set(row.scopes as ApiKeyScope[]),
    credential: 'api_key',
    address,
    session: null,
    oauthOnly: row.oauth_only,
  };
}

interface AccessTokenRow {
  readonly id: string;
  readonly organization_id: string;
  readonly ended: boolean;
  readonly use_is_stale: boolean;
  readonly key_scopes: string[];
  readonly token_scopes: string[];
}

/**
 * Returns the caller of an access token. The token is looked up by its hash, so timing reveals nothing about existing
 * tokens. It ends with its key. Throws UNAUTHENTICATED (`invalid_token`, RFC 6750 3.1), or RATE_LIMITED for an address that
 * guesses.
 */
async function checkAccessToken(dependencies: AccessDependencies, token: string, address: string): Promise<Caller> {
  const { rows } = await sql<AccessTokenRow>`
    select api_keys.id, organization_id, revoked_at is not null or expires_at <= now() or ${isEnding} as ended,
      ${useIsStale} as use_is_stale, api_keys.scopes as key_scopes, access_tokens.scopes as token_scopes
    from access_tokens join api_keys on api_keys.id = access_tokens.api_key_id
    where token_hash = ${hashSecret(token)}`.execute(dependencies.database.sql());
  const [row] = rows;
  if (!row) return refuseCredentials(dependencies, address, { bearerError: 'invalid_token' });
  if (row.ended) throw wrongCredentials({ bearerError: 'invalid_token' });
  await noteUse(dependencies, row);
  return {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.id),
    scopes: new Set<ApiKeyScope>(
      TOKEN_SCOPES.filter((scope) => row.token_scopes.includes(scope) && row.key_scopes.includes(scope)),
    ),
    credential: 'access_token',
    address,
    session: null,
  };
}

type SessionCaller = Caller & { readonly session: NonNullable<Caller['session']> };

/**
 * Returns the caller of a session's token. Throws SESSION_EXPIRED or SESSION_ENDED, UNAUTHENTICATED for an unknown token, or
 * RATE_LIMITED for an address that guesses.
 */
export async function checkSession(dependencies: AccessDependencies, token: string, address: string): Promise<SessionCaller> {
  const found = await findSession(dependencies, token, address);
  if (!found) return refuseCredentials(dependencies, address, { bearerError: 'invalid_token' });
  const { caller, over } = found;
  if (over === null) return caller;
  const facts: ErrorFacts = { bearerError: 'invalid_token', readableBy: caller.session.origin ?? undefined };
  if (over === 'ended')
    throw new SwitchboardError('SESSION_ENDED', 'This session was ended. Ask your backend for a new one.', facts);
  throw new SwitchboardError('SESSION_EXPIRED', 'This session has expired. Ask your backend for a new one.', facts);
}

const WRONG =
  'The credentials are wrong, expired or revoked. Send "Authorization: Basic base64(publicKey:secretKey)" or "Authorization: Bearer <access token>".';

/** Returns the error for invalid credentials, without saying why they are invalid. */
function wrongCredentials(facts?: ErrorFacts): SwitchboardError {
  return new SwitchboardError('UNAUTHENTICATED', WRONG, facts);
}

/**
 * Throws UNAUTHENTICATED for unknown credentials, or RATE_LIMITED when their address guesses too often. Valid credentials
 * from that address still work: secrets of 256 bits cannot be guessed, so the limit only saves load, and a neighbour behind
 * the same proxy must not lock anyone out.
 */
async function refuseCredentials(dependencies: AccessDependencies, address: string, facts?: ErrorFacts): Promise<never> {
  const limit = dependencies.limits.failedLoginsPerMinute;
  if (limit > 0) {
    const { hits, resetsInSeconds } = await countHit(dependencies, `login:${address}`);
    if (hits > limit) {
      throw new SwitchboardError(
        'RATE_LIMITED',
        `Too many failed log-ins from your address: more than ${limit} in a minute. Check the credentials, and try again in ${resetsInSeconds} s.`,
        { retryAfterSeconds: resetsInSeconds },
      );
    }
  }
  throw wrongCredentials(facts);
}

/** Whether the organization of a key is being deleted. Its keys are then invalid. */
const isEnding: RawBuilder<boolean> = sql<boolean>`exists (
  select from organization_deletions d where d.organization_id = api_keys.organization_id)`;

/** Whether a key's time of last use is more than a minute old, by the database's clock. */
const useIsStale: RawBuilder<boolean> = sql<boolean>`coalesce(last_used_at < now() - interval '1 minute', true)`;

/** Stores when a key was last used, to the minute, so that a busy key is written once a minute instead of once a call. */
async function noteUse(
  { database }: { database: Database },
  key: { readonly id: string; readonly use_is_stale: boolean },
): Promise<void> {
  if (!key.use_is_stale) return;
  await sql`update api_keys set last_used_at = now() where id = ${key.id} and ${useIsStale}`.execute(database.sql());
}

/** Returns a known caller who acts for an organization. Throws UNAUTHENTICATED, ORGANIZATION_REQUIRED. */
export function requireCaller(caller: Caller | Platform | null): Caller {
  const who = requireCredentials(caller);
  if (who.organizationId !== null) return who;
  throw new SwitchboardError(
    'ORGANIZATION_REQUIRED',
    'Say for which organization you call: send the header "Switchboard-Organization: <externalId or id>".',
    { header: 'Switchboard-Organization' },
  );
}

/** Returns a caller who has the scope. Throws as `requireCaller` does, or FORBIDDEN (`insufficient_scope`, RFC 6750 3.1). */
export function requireScope(possibleCaller: Caller | Platform | null, scope: ApiKeyScope): Caller {
  const caller = requireCaller(possibleCaller);
  if (caller.scopes.has(scope)) return caller;
  throw new SwitchboardError('FORBIDDEN', `These credentials may not do that: they lack the scope "${scope}".`, {
    bearerError: 'insufficient_scope',
    scope,
  });
}

/** Returns a platform that acts for no organization. Throws UNAUTHENTICATED or FORBIDDEN. */
export function requirePlatform(possibleCaller: Caller | Platform | null): Platform {
  const who = requireCredentials(possibleCaller);
  if (who.organizationId === null) return who;
  const message = 'Only the key of a platform may do that, and without the header Switchboard-Organization.';
  throw new SwitchboardError('FORBIDDEN', message, { bearerError: 'insufficient_scope', scope: PLATFORM_SCOPE });
}

/** Returns a known caller or platform. Throws UNAUTHENTICATED. */
export function requireCredentials(caller: Caller | Platform | null): Caller | Platform {
  if (caller) return caller;
  throw new SwitchboardError(
    'UNAUTHENTICATED',
    'Send "Authorization: Basic base64(publicKey:secretKey)" or "Authorization: Bearer <access token>".',
  );
}
