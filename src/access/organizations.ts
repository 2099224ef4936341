import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { InputError, ProblemList, SwitchboardError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { checkExternalId, checkMetadata } from '../domain/Metadata.js';
import { Organization } from '../domain/Organization.js';
import { ORGANIZATION_HEADER, ORGANIZATION_NAME } from './platform.js';

interface Dependencies {
  readonly database: Database;
}

export interface UpsertOrganizationInput {
  readonly externalId: string;
  /** As it was when not given; of a new one, the externalId. */
  readonly name?: string | null;
  /** As it was when not given; null: none. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

interface UpsertedOrganization {
  readonly organization: Organization;
  /** False: it was there already. */
  readonly created: boolean;
}

const MAX_NAME_LENGTH = 200;

/**
 * Makes an organization, or changes the one that has this externalId; what is as it was is not written. However many ask at
 * once, there is one, and all are told which. Throws an InputError: INVALID, MAX_VALUE, or CONFLICT while it is being deleted.
 */
export async function upsertOrganization(
  { database }: Dependencies,
  _platform: Platform,
  input: UpsertOrganizationInput,
): Promise<UpsertedOrganization> {
  const { externalId } = input;
  const problems = new ProblemList();
  checkExternalId(externalId, problems, 'externalId');
  if (!ORGANIZATION_NAME.test(externalId)) {
    const message = `An organization's externalId is printable ASCII, since the header ${ORGANIZATION_HEADER} names it.`;
    problems.add('INVALID', message, 'externalId');
  }
  const name = input.name?.trim() || null;
  if (name && (name.length > MAX_NAME_LENGTH || /\p{Cc}/u.test(name) || !name.isWellFormed())) {
    problems.add('INVALID', `A name is one line of at most ${MAX_NAME_LENGTH} characters.`, 'name');
  }
  const metadata = checkMetadata(input.metadata, problems, 'metadata');
  problems.throwIfAny();

  const given = input.metadata === undefined ? null : JSON.stringify(metadata);
  const { rows } = await sql<{ id: string; created: boolean; is_ending: boolean }>`
    with found as materialized (
      select id, name, metadata, exists (select from organization_deletions d where d.organization_id = o.id) as is_ending
      from organizations o where external_id = ${externalId}
    ), written as (
      insert into organizations as o (external_id, name, metadata)
      -- A number is spent with every try, so it is tried only where there is something to write.
      select ${externalId}, coalesce(${name}::text, ${externalId}), coalesce(${given}::jsonb, '{}')
      where not exists (
        select from found f where f.is_ending
          or (f.name, f.metadata) = (coalesce(${name}::text, f.name), coalesce(${given}::jsonb, f.metadata)))
      on conflict (external_id) where external_id is not null do update set
        name = coalesce(${name}::text, o.name), metadata = coalesce(${given}::jsonb, o.metadata), updated_at = now()
      returning id, xmax = 0 as created
    )
    select id, created, false as is_ending from written
    union all select id, false, is_ending from found where not exists (select from written)`.execute(database.sql());
  const [row] = rows;
  if (!row || row.is_ending) throw beingDeleted('externalId');
  const organization = await database.em().findOne(Organization, Number(row.id));
  if (!organization) throw beingDeleted('externalId');
  return { organization, created: row.created };
}

function beingDeleted(field: string): InputError {
  return InputError.of('CONFLICT', 'This organization is being deleted: make it anew once it is gone.', field);
}

interface OrganizationFilter {
  readonly externalId?: string | null;
}

/** Every organization of the server, newest first. */
export function listOrganizations(
  { database }: Dependencies,
  _platform: Platform,
  args: PageArguments,
  { externalId }: OrganizationFilter = {},
): Promise<Page<Organization>> {
  return paginate(database.em(), Organization, 'organizations', externalId ? { externalId } : {}, args);
}

/** Names one organization; both left out: the caller's own. */
export interface OrganizationName {
  readonly id?: string | null;
  readonly externalId?: string | null;
}

/**
 * One organization, or null. A caller finds its own, and nobody else's; a platform that acts for none finds any.
 * Throws BAD_USER_INPUT, ORGANIZATION_REQUIRED.
 */
export function findOrganization(
  { database }: Dependencies,
  { organizationId }: Caller | Platform,
  name: OrganizationName,
): Promise<Organization | null> {
  const { id, externalId } = name;
  const isNamed = (id ?? externalId ?? null) !== null;
  if (isNamed && id && externalId) throw new SwitchboardError('BAD_USER_INPUT', 'Give "id" or "externalId", not both.');
  if (!isNamed && organizationId === null) {
    const message = `Name the organization by "id" or "externalId", or send the header ${ORGANIZATION_HEADER}.`;
    throw new SwitchboardError('ORGANIZATION_REQUIRED', message);
  }
  if (externalId?.includes('\0')) return Promise.resolve(null);
  const named = id ? { id: parseId(id) ?? 0 } : externalId ? { externalId } : {};
  const own = organizationId === null ? {} : { id: organizationId };
  return database.em().findOne(Organization, { $and: [named, own] });
}
