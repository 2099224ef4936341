import { randomBytes } from 'node:crypto';
import { type FilterQuery, LockMode } from '@mikro-orm/core';
import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import { type Caller, reachableConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { InputError, ProblemList, SwitchboardError } from '../domain/errors.js';
import { isUuid, parseId } from '../domain/ids.js';
import { canonicalLocale } from '../domain/Recipient.js';
import { checkReturnTo } from '../domain/returnTo.js';
import { SESSION_PERMISSIONS, SESSION_TOKEN_PREFIX, Session, type SessionPermission } from '../domain/Session.js';
import { hashSecret } from '../domain/secrets.js';
import type { AccessDependencies } from './limits.js';

/** Seconds. */
const SHORTEST = 300;
const LONGEST = 86_400;
const USUAL = 1_800;

export interface CreateSessionInput {
  readonly permissions: readonly SessionPermission[];
  /** The whole organization by default. `connect` requires a connection. */
  readonly connectionId?: string | null;
  /** The origin of the pages that may call with the session. */
  readonly origin?: string | null;
  readonly returnTo?: URL | string | null;
  /** Seconds, 300 to 86,400; 1,800 by default. */
  readonly expiresIn?: number | null;
  /** A BCP 47 tag. */
  readonly locale?: string | null;
}

interface CreatedSession {
  readonly session: Session;
  /** `ses_` and 256 bits, base64url. Shown once; only its hash is stored. */
  readonly token: string;
  /** The URL of the connect page. Null without `connect`. */
  readonly url: string | null;
}

interface CreateDependencies extends AccessDependencies {
  /** The connection types that need an authorization. */
  readonly providers: { has(type: string): boolean };
  readonly returnToOrigins: readonly string[];
  readonly publicUrl: string;
}

/**
 * Creates a session: a browser's permission for the caller's organization, or for one connection of it. The number of valid
 * sessions of an organization is limited. Throws an InputError with all problems, or RATE_LIMITED.
 */
export function createSession(
  dependencies: CreateDependencies,
  caller: Caller,
  input: CreateSessionInput,
): Promise<CreatedSession> {
  const { database, providers, publicUrl } = dependencies;
  const permissions = checkPermissions(input);
  const problems = new ProblemList();
  permissions.forEach((permission) => {
    const scope = NEEDED_SCOPES[permission].find((needed) => !caller.scopes.has(needed));
    if (!scope) return;
    const message = `You cannot give the permission "${permission.toUpperCase()}": it needs the scope "${scope}", which you do not have yourself.`;
    problems.add('FORBIDDEN', message, 'permissions', String(input.permissions.indexOf(permission)));
  });
  const expiresIn = input.expiresIn ?? USUAL;
  if (expiresIn < SHORTEST) problems.add('MIN_VALUE', `A session lives for ${SHORTEST} seconds at least.`, 'expiresIn');
  if (expiresIn > LONGEST) problems.add('MAX_VALUE', `A session lives for ${LONGEST} seconds, a day, at most.`, 'expiresIn');
  const origin = checkOrigin(input.origin, problems);
  const locale = input.locale === null || input.locale === undefined ? null : canonicalLocale(input.locale);
  if (input.locale && !locale) problems.add('INVALID', 'A locale is a language tag after BCP 47, such as nl-NL.', 'locale');
  if (permissions.includes('connect') && !input.connectionId) {
    problems.add('REQUIRED', 'CONNECT links one connection: name it.', 'connectionId');
  }
  problems.throwIfAny();
  const returnTo = checkReturnTo(input.returnTo, [...dependencies.returnToOrigins, ...(origin ? [origin] : [])]);
  const token = `${SESSION_TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;

  return database.transaction(async (em) => {
    await takePlace(em, dependencies, caller);
    const connection = input.connectionId ? await holdConnection(em, caller, input.connectionId) : null;
    if (connection && permissions.includes('connect') && !providers.has(connection.type)) {
      const message = `A ${connection.type} connection needs no authorization here: there is nothing to link.`;
      throw InputError.of('INVALID', message, 'connectionId');
    }
    const now = Date.now();
    const session = em.create(Session, {
      id: newId(),
      organizationId: caller.organizationId,
      apiKeyId: caller.apiKeyId,
      tokenHash: hashSecret(token),
      permissions,
      connectionId: connection?.id ?? null,
      ...{ origin, returnTo, locale },
      createdAt: new Date(now),
      expiresAt: new Date(now + expiresIn * 1_000),
    });
    await em.flush();
    const subject = ['session', session.id] as const;
    await recordAudit(em, caller, { action: 'session_created', subject, after: auditFacts(session) });
    return { session, token, url: permissions.includes('connect') ? `${publicUrl}/connect/${token}` : null };
  });
}

/** Returns what the audit log stores about a session, never its token. */
function auditFacts({ permissions, connectionId, origin, returnTo, locale, expiresAt }: Session) {
  const connection = connectionId ? String(connectionId) : null;
  return { permissions, connectionId: connection, origin, returnTo, locale, expiresAt: expiresAt.toISOString() };
}

function checkPermissions({ permissions }: CreateSessionInput): SessionPermission[] {
  if (permissions.length === 0) throw InputError.of('REQUIRED', 'A session needs at least one permission.', 'permissions');
  if (permissions.length > SESSION_PERMISSIONS.length) {
    const message = `There are ${SESSION_PERMISSIONS.length} permissions: name each once at most.`;
    throw InputError.of('MAX_VALUE', message, 'permissions');
  }
  return SESSION_PERMISSIONS.filter((permission) => permissions.includes(permission));
}

/** A domain name or an IP address (RFC 3986 3.2.2); URL allows more, such as an asterisk. */
const HOST = /^([a-z0-9_-]+\.)*[a-z0-9_-]+\.?$|^\[[0-9a-f:.]+\]$/;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const LONGEST_ORIGIN = 255;

/** Checks and normalizes an origin (RFC 6454): https, or http on loopback, where nobody can listen in. */
function checkOrigin(origin: string | null | undefined, problems: ProblemList): string | null {
  if (origin === null || origin === undefined) return null;
  const url = origin.length <= LONGEST_ORIGIN && URL.canParse(origin) ? new URL(origin) : null;
  const isBare = url && `${url.origin}/` === url.href && !/[?#]/.test(origin);
  if (
    isBare &&
    HOST.test(url.hostname) &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
  )
    return url.origin;
  const message =
    'An origin is scheme, host and port, such as https://app.example.com: https, or http for localhost, without a path.';
  problems.add('INVALID', message, 'origin');
  return null;
}

/**
 * Reserves a place for one more session of the caller's organization, until the transaction ends. Concurrent calls take
 * turns. A concurrent revocation of the key waits, and then ends the new session too.
 */
async function takePlace(em: EntityManager, { database, limits }: AccessDependencies, caller: Caller): Promise<void> {
  const db = database.sql(em);
  await sql`select from organizations where id = ${caller.organizationId} for no key update`.execute(db);
  const key = await sql`select from api_keys where id = ${caller.apiKeyId} and revoked_at is null for share`.execute(db);
  if (key.rows.length === 0) throw new SwitchboardError('UNAUTHENTICATED', 'This key was revoked.');
  const { rows } = await sql<{ living: number; wait: number }>`
    select count(*)::int as living, ceil(extract(epoch from min(expires_at) - now()))::int as wait from sessions
    where organization_id = ${caller.organizationId} and ended_at is null and expires_at > now()`.execute(db);
  const { living = 0, wait = 0 } = rows[0] ?? {};
  if (living < limits.sessionsPerOrganization) return;
  throw new SwitchboardError(
    'RATE_LIMITED',
    `Your organization has ${living} sessions that live, and may have ${limits.sessionsPerOrganization}: end some with endSession. The next one expires in ${wait} s.`,
    { retryAfterSeconds: Math.max(1, wait) },
  );
}

/** Returns the caller's connection, locked against deletion until the transaction ends. Throws an InputError: NOT_FOUND. */
async function holdConnection(em: EntityManager, caller: Caller, id: string): Promise<Connection> {
  const connection = await em.findOne(Connection, reachableConnection(caller, id), { lockMode: LockMode.PESSIMISTIC_READ });
  if (!connection) throw InputError.of('NOT_FOUND', 'There is no such connection.', 'connectionId');
  return connection;
}

/**
 * Ends a session of the caller's organization at once, in every process. Ending it again changes nothing. Throws an
 * InputError: NOT_FOUND.
 */
export function endSession(
  { database }: { database: Database },
  caller: Caller,
  input: { readonly id: string },
): Promise<Session> {
  return database.transaction(async (em) => {
    const own = { id: input.id, organizationId: caller.organizationId };
    const session = isUuid(input.id) ? await em.findOne(Session, own, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
    if (!session) throw InputError.of('NOT_FOUND', 'There is no such session.', 'id');
    if (session.endedAt || session.expiresAt.getTime() <= Date.now()) return session;
    session.endedAt = new Date();
    await em.flush();
    await recordAudit(em, caller, { action: 'session_ended', subject: ['session', session.id], before: auditFacts(session) });
    return session;
  });
}

interface SessionFilter {
  /** True: valid sessions only. False: ended and expired ones only. */
  readonly isAlive?: boolean | null;
  readonly connectionId?: string | null;
}

/** Lists the sessions of the caller's organization, newest first, until 30 days after their end. */
export function listSessions(
  { database }: { database: Database },
  { organizationId }: Caller,
  args: PageArguments,
  { isAlive, connectionId }: SessionFilter = {},
): Promise<Page<Session>> {
  const now = new Date();
  const alive = { endedAt: null, expiresAt: { $gt: now } };
  const over = { $or: [{ endedAt: { $ne: null } }, { expiresAt: { $lte: now } }] };
  const where: FilterQuery<Session> = {
    organizationId,
    ...(connectionId ? { connectionId: parseId(connectionId) ?? 0 } : {}),
    ...(isAlive === true ? alive : isAlive === false ? over : {}),
  };
  return paginate(database.em(), Session, 'sessions', where, args);
}

/** Returns the session that calls, or null for another caller. */
export async function findOwnSession({ database }: { database: Database }, { session }: Caller): Promise<Session | null> {
  return session && database.em().findOne(Session, session.id);
}

interface FoundSession {
  /** The caller, if the session is valid. */
  readonly caller: Caller & { readonly session: NonNullable<Caller['session']> };
  /** Why the session is no longer valid. Null while it is valid. */
  readonly over: 'ended' | 'expired' | null;
}

/** The scopes of each permission. `connect` has none: the few fields that it may use name it themselves. */
const SCOPES: Readonly<Record<SessionPermission, readonly ApiKeyScope[]>> = {
  connect: [],
  view: ['read'],
  manage: ['read', 'manage'],
};

/** The scopes that a key needs to give each permission: nobody gives what they do not have. */
const NEEDED_SCOPES: typeof SCOPES = { ...SCOPES, connect: ['manage'] };

/**
 * Returns the session of a token, or null. It is read from Postgres every time, so that an ended session stops working at
 * once in every process. The token is looked up by its hash, so timing reveals nothing about existing tokens.
 */
export async function findSession(
  { database }: { database: Database },
  token: string,
  address: string,
): Promise<FoundSession | null> {
  const { rows } = await sql<SessionRow>`
    select id, organization_id, api_key_id, permissions, connection_id, origin, return_to, locale,
      extract(epoch from expires_at)::float8 * 1000 as expires_ms,
      case when ended_at is not null or exists (
        select from organization_deletions d where d.organization_id = sessions.organization_id
      ) then 'ended' when expires_at <= now() then 'expired' end as over
    from sessions where token_hash = ${hashSecret(token)}`.execute(database.sql());
  const [row] = rows;
  if (!row) return null;
  const permissions = new Set(SESSION_PERMISSIONS.filter((permission) => row.permissions.includes(permission)));
  const caller = {
    organizationId: Number(row.organization_id),
    apiKeyId: Number(row.api_key_id),
    scopes: new Set([...permissions].flatMap((permission) => SCOPES[permission])),
    credential: 'session' as const,
    address,
    session: {
      id: row.id,
      permissions,
      connectionId: row.connection_id === null ? null : Number(row.connection_id),
      origin: row.origin,
      returnTo: row.return_to,
      locale: row.locale,
      expiresAt: new Date(row.expires_ms),
    },
  };
  return { caller, over: row.over };
}

interface SessionRow {
  readonly id: string;
  readonly organization_id: string;
  readonly api_key_id: string;
  readonly permissions: string[];
  readonly connection_id: string | null;
  readonly origin: string | null;
  readonly return_to: string | null;
  readonly locale: string | null;
  readonly expires_ms: number;
  readonly over: 'ended' | 'expired' | null;
}

/** Returns whether a stored session, valid or not, is for pages of this origin. */
export async function isSessionOrigin({ database }: { database: Database }, origin: string): Promise<boolean> {
  if (origin.length > LONGEST_ORIGIN || origin.includes('\0')) return false;
  const { rows } = await sql`select from sessions where origin = ${origin} limit 1`.execute(database.sql());
  return rows.length > 0;
}

/**
 * Deletes sessions 30 days after their end. Until then they are listed, and a caller with such a session learns why it
 * ended.
 */
export async function sweepSessions({ database }: { database: Database }): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from sessions where least(ended_at, expires_at) < now() - interval '30 days'`.execute(database.sql());
  return Number(numAffectedRows ?? 0n);
}
