import { sql } from 'kysely';
import { recordAudit } from '../database/auditLog.js';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import { type Look, pauseSeconds } from '../database/steps.js';
import type { Caller } from '../domain/Caller.js';
import { ProblemList, SwitchboardError } from '../domain/errors.js';
import { isUuid } from '../domain/ids.js';
import type { Logger } from '../domain/Logger.js';
import { checkText, type Recipient } from '../domain/Recipient.js';
import { canonicalJson } from './insertEvents.js';

/** The person whose data is erased: everyone who has one of these identifiers. */
export type Person = Pick<Recipient, 'email' | 'phoneNumber' | 'externalId' | 'anonymousId'>;

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  /** Wakes the background work when the transaction commits. */
  readonly wakeErasing: (em: EntityManager) => Promise<void>;
}

/** The progress of an erasure. */
export interface Erasure {
  readonly id: string;
  readonly status: 'running' | 'completed';
  /** Events that were checked. */
  readonly eventsLookedAt: number;
  /** Events that were about the person. */
  readonly eventsErased: number;
  /** Waiting deliveries that were cancelled. */
  readonly deliveriesCancelled: number;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** Maximum running erasures of one organization, since each reads all of its events. */
const MOST_RUNNING = 100;

/**
 * Erases one person's data everywhere in the caller's organization, in the background, in bounded steps. An event is the
 * person's when its recipient has one of the identifiers, or when the email or phoneNumber is in its data or properties. Its
 * row and its deliveries stay as facts. Its payload, recipient, properties and the responses to its attempts are erased,
 * waiting deliveries are cancelled, and none of it can be sent again. Calling it again while it runs changes nothing. Throws
 * an InputError: REQUIRED, INVALID; RATE_LIMITED when a hundred others run.
 */
export async function eraseRecipient(
  { database, cipher, wakeErasing }: Dependencies,
  caller: Caller,
  { email, phoneNumber, externalId, anonymousId }: Person,
): Promise<Erasure> {
  const problems = new ProblemList();
  const given = Object.entries({ email, phoneNumber, externalId, anonymousId }).filter(([, text]) => (text ?? null) !== null);
  if (given.length === 0) {
    problems.add('REQUIRED', 'Give the email, the phoneNumber, the externalId or the anonymousId of the person.', 'email');
  }
  for (const [name, text] of given) checkText(text, problems, name);
  problems.throwIfAny();
  const { organizationId } = caller;
  const person = canonicalJson(Object.fromEntries(given.map(([name, text]) => [name, normal(text as string)])));
  const id = newId();
  return database.transaction(async (em) => {
    const db = em.getKysely();
    const { rows: running } = await sql<{ count: number }>`
      select count(*)::int as count from (
        select from erasures where organization_id = ${organizationId} and status = 'running' limit ${MOST_RUNNING}
      ) r`.execute(db);
    const hash = cipher.fingerprint(person, `erasures:${organizationId}`);
    // The unique index serializes two concurrent calls for the same person.
    const { numAffectedRows: begun } = await sql`
      insert into erasures (id, organization_id, person, person_hash)
      select ${id}::uuid, ${organizationId}, ${cipher.encrypt(person, columnIdentity.erasedPerson(id))}, ${hash}
      where ${(running[0]?.count ?? 0) < MOST_RUNNING}
      on conflict (organization_id, person_hash) where status = 'running' do nothing`.execute(db);
    const { rows } = await sql<ErasureRow>`
      select ${ERASURE} from erasures
      where organization_id = ${organizationId} and person_hash = ${hash} and status = 'running'`.execute(db);
    if (!rows[0]) {
      const message = `${MOST_RUNNING} erasures are running already. Try again when some are done.`;
      throw new SwitchboardError('RATE_LIMITED', message, { retryAfterSeconds: 60 });
    }
    if (begun) {
      // The audit log stores which identifiers were given, never their values.
      const after = { identifiers: given.map(([name]) => name) };
      await recordAudit(em, caller, { action: 'recipient_erasure_requested', subject: ['recipient', id], after });
    }
    await wakeErasing(em);
    return present(rows[0]);
  });
}

/** Returns one erasure of the organization, or null, also for another organization's erasure. */
export async function findErasure({ database }: { database: Database }, caller: Caller, id: string): Promise<Erasure | null> {
  if (!isUuid(id)) return null;
  const { rows } = await sql<ErasureRow>`
    select ${ERASURE} from erasures where id = ${id} and organization_id = ${caller.organizationId}`.execute(database.sql());
  return rows[0] ? present(rows[0]) : null;
}

interface ErasureRow extends Omit<Erasure, 'createdAt' | 'finishedAt'> {
  readonly createdMs: number;
  readonly finishedMs: number | null;
}

const ERASURE = sql`id, status, looked_count::float8 as "eventsLookedAt", event_count::float8 as "eventsErased",
  cancelled_count::float8 as "deliveriesCancelled", date_part('epoch', created_at) * 1000 as "createdMs",
  date_part('epoch', finished_at) * 1000 as "finishedMs"`;

function present({ createdMs, finishedMs, ...row }: ErasureRow): Erasure {
  return { ...row, createdAt: new Date(createdMs), finishedAt: finishedMs === null ? null : new Date(finishedMs) };
}

/** Deletes erasures that ended more than `olderThanMs` milliseconds ago. Returns how many. */
export async function forgetErasures({ database }: { database: Database }, olderThanMs: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from erasures where status <> 'running' and finished_at < now() - ${olderThanMs} * interval '1 millisecond'`.execute(
    database.sql(),
  );
  return Number(numAffectedRows ?? 0);
}

export interface ErasureDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  readonly log: Logger;
  /** Erases stored responses to an organization's repeated requests, where they contain the person's data. */
  readonly forgetAnswers: (em: EntityManager, organizationId: number, speaksOf: (text: string) => boolean) => Promise<unknown>;
}

interface Task {
  readonly id: string;
  readonly organization_id: string;
  readonly person: string;
  readonly place: string | null;
  readonly is_young: boolean;
  readonly newest: string;
}

interface Step {
  /** The last event that was completely handled. */
  readonly place: string | null;
  readonly looked: number;
  readonly erased: number;
  readonly cancelled: number;
  readonly isDone: boolean;
  readonly waitMs: number;
}

/**
 * Milliseconds between an event's id and its commit at most. Until they have passed, the latest events are checked again.
 */
const YOUNG_MS = 2_000;

/**
 * Takes the next step of the first erasure, in one transaction. After a crash the next worker takes the step again, and two
 * workers never take the same one. A failed step is postponed.
 */
export async function takeErasureStep(dependencies: ErasureDependencies): Promise<Look> {
  const { database, log } = dependencies;
  let id: string | undefined;
  try {
    return await database.transaction(async (em) => {
      const db = em.getKysely();
      const { rows } = await sql<Task>`
        select id, organization_id, person, place, created_at > now() - ${YOUNG_MS} * interval '1 millisecond' as is_young,
          (created_at + interval '1 minute')::text as newest
        from erasures where status = 'running' and run_at <= now() order by run_at limit 1 for update skip locked`.execute(db);
      const [task] = rows;
      if (!task) {
        const { rows: next } = await sql<{ ms: number | null }>`
          select date_part('epoch', min(run_at) - now()) * 1000 as ms
          from erasures where status = 'running' and run_at > now()`.execute(db);
        return next[0]?.ms ?? null;
      }
      id = task.id;
      const { place, looked, erased, cancelled, isDone, waitMs } = await continueErasing(dependencies, em, task);
      await sql`
        update erasures set place = ${place}, looked_count = looked_count + ${looked}, event_count = event_count + ${erased},
          cancelled_count = cancelled_count + ${cancelled}, failures = 0,
          run_at = clock_timestamp() + ${waitMs} * interval '1 millisecond',
          -- Whose data it was is nobody's business any more.
          person = case when ${isDone} then null else person end, person_hash = case when ${isDone} then '' else person_hash end,
          status = ${isDone ? 'completed' : 'running'}, finished_at = case when ${isDone} then now() end
        where id = ${id}`.execute(db);
      return 'taken' as const;
    });
  } catch (error) {
    if (id === undefined) throw error;
    log.error({ erasureId: id, error: String(error) }, 'A step of erasing a person failed and is taken again');
    const { rows } = await sql<{ failures: number }>`select failures from erasures where id = ${id}`.execute(database.sql());
    await sql`
      update erasures set failures = failures + 1, run_at = now() + ${pauseSeconds(rows[0]?.failures ?? 0)} * interval '1 second'
      where id = ${id}`.execute(database.sql());
    return 'taken';
  }
}

/** Maximum events that one step checks, and deliveries that it changes. All deliveries of one event are changed together. */
const EVENTS = 200;
const DELIVERIES = 2_000;

const NIL = '00000000-0000-0000-0000-000000000000';

interface Candidate {
  readonly id: string;
  readonly recipient: string | null;
  readonly properties: string | null;
  readonly idempotency_key: string | null;
  readonly ordering_key: string | null;
  /** Whether the payload may contain the person's data. */
  readonly may_speak: boolean;
  readonly is_erased: boolean;
}

async function continueErasing(dependencies: ErasureDependencies, em: EntityManager, task: Task): Promise<Step> {
  const { cipher, forgetAnswers } = dependencies;
  const db = em.getKysely();
  const organizationId = Number(task.organization_id);
  const person: Person = JSON.parse(cipher.decrypt(task.person, columnIdentity.erasedPerson(task.id)));
  const speaksOf = recognizer(person);
  const needles = contacts(person).map((text) => JSON.stringify(text).slice(1, -1));
  const { rows: events } = await sql<Candidate>`
    select id, recipient, properties, idempotency_key, ordering_key, erased_at is not null as is_erased,
      exists (select from unnest(${needles}::text[]) n (needle) where position(n.needle in lower(payload::text)) > 0) as may_speak
    from events
    where organization_id = ${organizationId} and id > ${task.place ?? NIL}::uuid and created_at <= ${task.newest}::timestamptz
    order by id limit ${EVENTS}`.execute(db);

  let { place } = task;
  let [looked, erased, cancelled, touched] = [0, 0, 0, 0];
  const step = (isDone: boolean, waitMs = 0): Step => ({ place, looked, erased, cancelled, isDone, waitMs });
  for (const event of events) {
    if (!event.is_erased && (await isAbout(cipher, em, event, person, speaksOf))) {
      if (touched >= DELIVERIES) return step(false);
      const done = await eraseEvent(em, organizationId, event, speaksOf);
      cancelled += done.cancelled;
      touched += done.deliveries;
      // An attempt in flight will store a response, which must be erased too.
      if (done.isUnderWay) return step(false, UNDER_WAY_MS);
      erased += 1;
    }
    place = event.id;
    looked += 1;
  }
  if (events.length === EVENTS) return step(false);
  if (task.is_young) return { ...step(false, YOUNG_MS / 2), place: task.place, looked: 0 };
  await forgetAnswers(em, organizationId, speaksOf);
  return step(true);
}

const UNDER_WAY_MS = 500;

async function isAbout(
  cipher: Cipher,
  em: EntityManager,
  { id, recipient, properties, may_speak }: Candidate,
  person: Person,
  speaksOf: (text: string) => boolean,
): Promise<boolean> {
  if (recipient) {
    const known: Recipient = JSON.parse(cipher.decrypt(recipient, columnIdentity.recipient(id)));
    const names = ['email', 'phoneNumber', 'externalId', 'anonymousId'] as const;
    if (names.some((name) => person[name] && normal(known[name] ?? '') === person[name])) return true;
  }
  if (properties && mentions(JSON.parse(cipher.decrypt(properties, columnIdentity.properties(id))), speaksOf)) return true;
  if (!may_speak) return false;
  const { rows } = await sql<{ payload: unknown }>`select payload from events where id = ${id}`.execute(em.getKysely());
  return mentions(rows[0]?.payload, speaksOf);
}

/** Erases the data of one event. While one of its deliveries is in flight, it only cancels the others. */
async function eraseEvent(
  em: EntityManager,
  organizationId: number,
  { id, idempotency_key: key, ordering_key: ordering }: Candidate,
  speaksOf: (text: string) => boolean,
): Promise<{ deliveries: number; cancelled: number; isUnderWay: boolean }> {
  const db = em.getKysely();
  const own = sql`event_id = ${id} and organization_id = ${organizationId}`;
  const { rows } = await sql<{ cancelled: number; connection_ids: string[] | null; keys: string[] | null }>`
    with cancelled as (
      update deliveries set status = 'cancelled', updated_at = now()
      where ${own} and status in ('pending', 'retrying', 'held') returning connection_id, ordering_key
    )
    select count(*)::int as cancelled, array_agg(connection_id) filter (where ordering_key is not null) as connection_ids,
      array_agg(ordering_key) filter (where ordering_key is not null) as keys
    from cancelled`.execute(db);
  const { cancelled = 0, connection_ids = null, keys = null } = rows[0] ?? {};
  // The next delivery of its ordering key may be sent.
  if (keys !== null) await sql`select try_advance_ordering(${connection_ids}::bigint[], ${keys}::text[])`.execute(db);
  const { rows: all } = await sql<{ deliveries: number; is_under_way: boolean | null }>`
    select count(*)::int as deliveries, bool_or(leased_until > now()) as is_under_way from deliveries where ${own}`.execute(db);
  const { deliveries = 0, is_under_way } = all[0] ?? {};
  if (is_under_way) return { deliveries, cancelled, isUnderWay: true };
  await sql`
    update attempts set response_body = null, error_message = case when error_message is not null then ${ERASED} end
    where delivery_id in (select id from deliveries where ${own})
      and (response_body is not null or error_message is not null)`.execute(db);
  if (ordering !== null && speaksOf(ordering)) {
    await sql`update deliveries set ordering_key = null, ordering_position = null where ${own}`.execute(db);
  }
  await sql`
    update events set payload = '{}', recipient = null, properties = null, content_hash = null, erased_at = now(),
      idempotency_key = ${key !== null && speaksOf(key) ? null : key},
      ordering_key = ${ordering !== null && speaksOf(ordering) ? null : ordering}
    where id = ${id}`.execute(db);
  return { deliveries, cancelled, isUnderWay: false };
}

const ERASED = 'Erased with the data of the person whom the event was about.';

/** Emails and phone numbers are case-insensitive. Ids are stored as given, but compared in the same way. */
function normal(text: string): string {
  return text.trim().toLowerCase();
}

/** Returns the identifiers that are unique in any text. An id may be a number that means something else there. */
function contacts({ email, phoneNumber }: Person): string[] {
  return [email, phoneNumber].filter((text): text is string => Boolean(text));
}

/**
 * Returns a function that tells whether a text contains the person's email or phone number, but not as a part of a longer
 * one.
 */
function recognizer(person: Person): (text: string) => boolean {
  const patterns = contacts(person).map(
    (text) =>
      new RegExp(
        `(?<![\\p{L}\\p{N}._%+-])${text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`,
        'u',
      ),
  );
  return (text) => patterns.some((pattern) => pattern.test(text.toLowerCase()));
}

/** Returns whether any text in a JSON value matches, names of fields included. */
function mentions(value: unknown, speaksOf: (text: string) => boolean): boolean {
  if (typeof value === 'string') return speaksOf(value);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([name, inner]) => speaksOf(name) || mentions(inner, speaksOf));
}
