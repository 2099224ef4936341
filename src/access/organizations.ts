import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import type { Database, EntityManager } from '../database/Database.js';
import { type Page, type PageArguments, paginate } from '../database/paginate.js';
import type { Caller, Platform } from '../domain/Caller.js';
import { InputError, ProblemList, SwitchboardError } from '../domain/errors.js';
import { parseId } from '../domain/ids.js';
import { checkExternalId, checkMetadata, type Metadata } from '../domain/Metadata.js';
import { Organization } from '../domain/Organization.js';
import { ORGANIZATION_HEADER, ORGANIZATION_NAME } from './platform.js';

interface Dependencies {
  readonly database: Database;
}

export interface UpsertOrganizationInput {
  readonly externalId: string;
  /** Unchanged by default. For a new organization the default is its externalId. */
  readonly name?: string | null;
  /** Unchanged by default. Null removes it. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
}

interface UpsertedOrganization {
  readonly organization: Organization;
  /** False when the organization existed already. */
  readonly created: boolean;
}

const MAX_NAME_LENGTH = 200;

/**
 * Creates an organization, or updates the one that has this externalId. Unchanged values are not written. Concurrent calls
 * create one organization, and all return it. Throws an InputError: INVALID, MAX_VALUE, or CONFLICT while it is being
 * deleted.
 */
export async function upsertOrganization(
  { database }: Dependencies,
  platform: Platform,
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

  const wanted = { name, metadata: input.metadata === undefined ? undefined : metadata };
  const known = await findByExternalId(database.em(), externalId);
  if (known?.is_ending) throw beingDeleted('externalId');
  if (known && isDeepStrictEqual(changed(known, wanted), factsOf(known))) {
    const organization = await database.em().findOne(Organization, Number(known.id));
    if (!organization) throw beingDeleted('externalId');
    return { organization, created: false };
  }
  return database.transaction(async (em) => {
    // An insert uses up an id even when it fails, so it is tried only when no organization was found.
    const madeId = known ? undefined : await insert(em, { externalId, name: name ?? externalId, metadata });
    const id = madeId ?? (await change(em, platform, externalId, wanted));
    const organization = await em.findOneOrFail(Organization, id);
    if (madeId !== undefined) {
      const after = { externalId, ...factsOf(organization) };
      const subject = ['organization', id] as const;
      await recordAudit(em, { ...platform, organizationId: id }, { action: 'organization_created', subject, after });
    }
    return { organization, created: madeId !== undefined };
  });
}

interface Facts {
  readonly name: string;
  readonly metadata: Metadata;
}

interface Wanted {
  /** Null: unchanged. */
  readonly name: string | null;
  /** Undefined: unchanged. */
  readonly metadata: Metadata | undefined;
}

interface Row extends Facts {
  readonly id: string;
  readonly is_ending: boolean;
}

function factsOf({ name, metadata }: Facts): Facts {
  return { name, metadata };
}

function changed(facts: Facts, { name, metadata }: Wanted): Facts {
  return { name: name ?? facts.name, metadata: metadata ?? facts.metadata };
}

async function findByExternalId(em: EntityManager, externalId: string, lock = sql``): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select id, name, metadata, exists (select from organization_deletions d where d.organization_id = o.id) as is_ending
    from organizations o where external_id = ${externalId} ${lock}`.execute(em.getKysely());
  return rows[0];
}

/** Returns the new organization's id. Undefined when another call has created it first. */
async function insert(em: EntityManager, { externalId, name, metadata }: Facts & { externalId: string }) {
  const { rows } = await sql<{ id: string }>`
    insert into organizations (external_id, name, metadata) values (${externalId}, ${name}, ${JSON.stringify(metadata)}::jsonb)
    on conflict (external_id) where external_id is not null do nothing returning id`.execute(em.getKysely());
  return rows[0] && Number(rows[0].id);
}

/**
 * Updates an existing organization, under its lock. The lock does not block statements that only refer to the organization,
 * such as inserts of events.
 */
async function change(em: EntityManager, platform: Platform, externalId: string, wanted: Wanted): Promise<number> {
  const row = await findByExternalId(em, externalId, sql`for no key update of o`);
  if (!row || row.is_ending) throw beingDeleted('externalId');
  const id = Number(row.id);
  const before = factsOf(row);
  const after = changed(row, wanted);
  if (isDeepStrictEqual(before, after)) return id;
  await sql`
    update organizations set name = ${after.name}, metadata = ${JSON.stringify(after.metadata)}::jsonb, updated_at = now()
    where id = ${id}`.execute(em.getKysely());
  const entry = {
    action: 'organization_updated',
    subject: ['organization', id],
    before: { ...before },
    after: { ...after },
  } as const;
  await recordAudit(em, { ...platform, organizationId: id }, entry);
  return id;
}

function beingDeleted(field: string): InputError {
  return InputError.of('CONFLICT', 'This organization is being deleted: make it anew once it is gone.', field);
}

interface OrganizationFilter {
  readonly externalId?: string | null;
}

/** Lists all organizations of the server, newest first. */
export function listOrganizations(
  { database }: Dependencies,
  _platform: Platform,
  args: PageArguments,
  { externalId }: OrganizationFilter = {},
): Promise<Page<Organization>> {
  return paginate(database.em(), Organization, 'organizations', externalId ? { externalId } : {}, args);
}

/** Names one organization. Without a name, it is the caller's own. */
export interface OrganizationName {
  readonly id?: string | null;
  readonly externalId?: string | null;
}

/**
 * Returns one organization, or null. A caller finds only its own. A platform that acts for none finds any. Throws
 * BAD_USER_INPUT, ORGANIZATION_REQUIRED.
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
