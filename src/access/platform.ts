import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { API_KEY_SCOPES, ApiKey, PLATFORM_SCOPE } from '../domain/ApiKey.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { type ErrorFacts, SwitchboardError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { MAX_EXTERNAL_ID } from '../domain/Metadata.js';
import { hashSecret } from '../domain/secrets.js';
import { authenticate } from './authenticate.js';
import type { AccessDependencies } from './limits.js';

/** The header that names the organization for which a platform acts, by externalId or id. */
export const ORGANIZATION_HEADER = 'Switchboard-Organization';

/** The credentials of a call, unchecked. */
export interface Credentials {
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
  /** The header `Switchboard-Organization`. */
  readonly organization: unknown;
}

/**
 * Identifies the caller and its organization. The credentials determine the organization; for a platform the header does. A
 * platform without the header acts for none. Returns null without credentials. Throws what `authenticate` throws,
 * ORGANIZATION_INVALID, ORGANIZATION_NOT_FOUND, and FORBIDDEN when another caller's header names an organization that is not
 * its own.
 */
export async function identify(
  dependencies: AccessDependencies,
  { authorization, organization }: Credentials,
  address: string,
): Promise<Caller | Platform | null> {
  const who = await authenticate(dependencies, authorization, address);
  if (!who || organization === undefined || organization === null) return who;
  // Whoever may read the answers of a session may read its refusal.
  const readable = who.session?.origin ? { readableBy: who.session.origin } : {};
  const name = readName(organization, readable);
  if (who.organizationId === null) return actFor(dependencies, who, name);
  if (await isCalled(dependencies, who.organizationId, name)) return who;
  const message = `Only the key of a platform may act for another organization: leave the header ${ORGANIZATION_HEADER} out.`;
  throw new SwitchboardError('FORBIDDEN', message, { header: ORGANIZATION_HEADER, ...readable });
}

/**
 * The form of an organization's externalId. It is sent in a header, so it consists of a header's characters (RFC 9110 5.5).
 */
export const ORGANIZATION_NAME = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

function readName(header: unknown, readable: Pick<ErrorFacts, 'readableBy'>): string {
  if (typeof header === 'string' && header.length <= MAX_EXTERNAL_ID && ORGANIZATION_NAME.test(header)) return header;
  const message = `${ORGANIZATION_HEADER} must be the externalId or the id of one organization: 1 to ${MAX_EXTERNAL_ID} printable ASCII characters.`;
  throw new SwitchboardError('ORGANIZATION_INVALID', message, { header: ORGANIZATION_HEADER, ...readable });
}

/**
 * Returns the platform as a caller with every scope in one organization. Digits are read as an id only on a server where no
 * externalId consists of digits. Otherwise a platform that names its merchants by numbers could reach another merchant's
 * organization by mistake.
 */
async function actFor({ database }: { database: Database }, platform: Platform, name: string): Promise<Caller> {
  const { rows } = await sql<{ id: string; is_ending: boolean }>`
    select id, exists (select from organization_deletions d where d.organization_id = o.id) as is_ending
    from organizations o
    where external_id = ${name} or id = ${parseId(name)}::bigint
      and not exists (select from organizations where external_id ~ '^[1-9][0-9]*$')`.execute(database.sql());
  const [found] = rows;
  if (!found || found.is_ending) {
    const why = found
      ? 'This organization is being deleted.'
      : 'There is no organization with this externalId or id: make it with upsertOrganization.';
    throw new SwitchboardError('ORGANIZATION_NOT_FOUND', why, { header: ORGANIZATION_HEADER });
  }
  return { ...platform, organizationId: Number(found.id), scopes: new Set(API_KEY_SCOPES) };
}

/** Returns whether an organization has this externalId or id. */
async function isCalled({ database }: { database: Database }, organizationId: number, name: string): Promise<boolean> {
  if (name === String(organizationId)) return true;
  const { rows } = await sql`
    select from organizations where id = ${organizationId} and external_id = ${name}`.execute(database.sql());
  return rows.length > 0;
}

/** Creates a platform's key pair. Only the command line calls it. */
export function createPlatformKey({ database }: { database: Database }, name: string | null) {
  const publicKey = `pk_${randomBytes(16).toString('base64url')}`;
  /** Shown once; only its hash is stored. */
  const secretKey = `sk_${randomBytes(32).toString('base64url')}`;
  return database.transaction(async (em) => {
    em.create(ApiKey, {
      organizationId: null,
      name,
      publicKey,
      secretHash: hashSecret(secretKey),
      scopes: [PLATFORM_SCOPE],
      createdAt: new Date(),
    });
    await em.flush();
    return { publicKey, secretKey };
  });
}

/** Lists the keys of platforms, newest first, revoked ones included, without their secrets. */
export function listPlatformKeys({ database }: { database: Database }): Promise<ApiKey[]> {
  return database.em().find(ApiKey, { organizationId: null }, { orderBy: { id: 'desc' } });
}
