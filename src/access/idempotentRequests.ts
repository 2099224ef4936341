import { sql } from 'kysely';
import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database, EntityManager } from '../database/Database.js';
import { newId } from '../database/newId.js';
import type { Caller } from '../domain/Caller.js';
import { SwitchboardError } from '../domain/errors.js';

interface Dependencies {
  readonly database: Database;
  readonly cipher: Cipher;
}

/** A request that names an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). */
export interface KeyedRequest {
  readonly key: string;
  /** The request as text that is equal for equal requests. It is never stored, since it may contain secrets. */
  readonly content: string;
}

/** The response to the first request. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Claim =
  /** The key is new: handle the request, then call `keepAnswer` or `releaseKey`. */
  { readonly kind: 'first'; readonly id: string } | { readonly kind: 'repeat'; readonly answer: KeptAnswer };

interface Row {
  readonly id: string;
  readonly fingerprint: string;
  readonly answer: string | null;
  readonly seconds: number;
}

const HOURS = 24;
/** Seconds; longer than any request takes. */
const GIVEN_UP_AFTER_SECONDS = 60;
/** Maximum tries, because a key that was taken may be released before its row is read. */
const TRIES = 3;

/**
 * Claims a key for 24 hours, for the caller's organization. One statement decides which of several requests is the first, in
 * all processes. Throws KEY_OF_ANOTHER_REQUEST for different content, and KEY_IN_USE while the first request has no
 * response. It stays in use when the first request's process died, because the request may have been done.
 */
export async function claimKey(dependencies: Dependencies, caller: Caller, { key, content }: KeyedRequest): Promise<Claim> {
  const { database, cipher } = dependencies;
  const { organizationId } = caller;
  const fingerprint = cipher.fingerprint(content, `idempotent_requests:${organizationId}:${key}`);
  for (let left = TRIES; left > 0; left -= 1) {
    const id = newId();
    const claimed = await sql`
      insert into idempotent_requests as kept (id, organization_id, key, fingerprint, expires_at)
      values (${id}, ${organizationId}, ${key}, ${fingerprint}, clock_timestamp() + make_interval(hours => ${HOURS}))
      on conflict (organization_id, key) do update set
        id = excluded.id, fingerprint = excluded.fingerprint, answer = null, created_at = excluded.created_at,
        expires_at = excluded.expires_at
      where kept.expires_at <= clock_timestamp()
      returning id`.execute(database.sql());
    if (claimed.rows.length === 1) return { kind: 'first', id };
    const { rows } = await sql<Row>`
      select id, fingerprint, answer, extract(epoch from clock_timestamp() - created_at)::float8 as seconds
      from idempotent_requests where organization_id = ${organizationId} and key = ${key}`.execute(database.sql());
    const [row] = rows;
    if (row) return { kind: 'repeat', answer: read(cipher, row, fingerprint) };
  }
  throw inUse('The first request with this Idempotency-Key is under way: try again in a second.', 1);
}

function read(cipher: Cipher, { id, answer, ...row }: Row, fingerprint: string): KeptAnswer {
  // Two fingerprints can be compared only when the same encryption key made them. After a rotation, the first response is
  // returned, which is the safe choice.
  const comparable = row.fingerprint.startsWith(cipher.fingerprintPrefix);
  if (comparable && row.fingerprint !== fingerprint) {
    const message = 'This Idempotency-Key was used for another request in the last 24 hours: take a new one.';
    throw new SwitchboardError('KEY_OF_ANOTHER_REQUEST', message, { header: 'Idempotency-Key' });
  }
  if (answer !== null) return JSON.parse(cipher.decrypt(answer, columnIdentity.keptAnswer(id)));
  if (row.seconds < GIVEN_UP_AFTER_SECONDS) {
    throw inUse('The first request with this Idempotency-Key is under way: try again in a second.', 1);
  }
  throw inUse('The first request with this Idempotency-Key was interrupted: look whether it was done, and take a new key.');
}

function inUse(message: string, retryAfterSeconds?: number): SwitchboardError {
  return new SwitchboardError('KEY_IN_USE', message, { header: 'Idempotency-Key', retryAfterSeconds });
}

/** Stores the response to the first request. */
export async function keepAnswer({ database, cipher }: Dependencies, id: string, answer: KeptAnswer): Promise<void> {
  const encrypted = cipher.encrypt(JSON.stringify(answer), columnIdentity.keptAnswer(id));
  await sql`update idempotent_requests set answer = ${encrypted} where id = ${id}`.execute(database.sql());
}

/** Releases a key whose request was not done. */
export async function releaseKey({ database }: Pick<Dependencies, 'database'>, id: string): Promise<void> {
  await sql`delete from idempotent_requests where id = ${id}`.execute(database.sql());
}

/** Maximum responses in one step. */
const FORGET_AT_ONCE = 200;

/**
 * Erases stored responses to an organization that contain a person's data. Their keys stay in use for the rest of their 24
 * hours, so that no request is done twice. A key that itself contains the data is deleted.
 */
export async function forgetAnswers(
  { cipher }: Pick<Dependencies, 'cipher'>,
  em: EntityManager,
  organizationId: number,
  speaksOf: (text: string) => boolean,
): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (let length = FORGET_AT_ONCE; length === FORGET_AT_ONCE; ) {
    const { rows } = await sql<{ id: string; key: string; answer: string | null }>`
      select id, key, answer from idempotent_requests
      where organization_id = ${organizationId} and id > ${after}::uuid order by id limit ${FORGET_AT_ONCE}`.execute(
      em.getKysely(),
    );
    length = rows.length;
    after = rows.at(-1)?.id ?? after;
    const spoken = rows.filter(
      ({ id, answer }) => answer !== null && speaksOf(cipher.decrypt(answer, columnIdentity.keptAnswer(id))),
    );
    const named = rows.filter(({ key }) => speaksOf(key));
    await sql`update idempotent_requests set answer = null where id = any(${spoken.map(({ id }) => id)}::uuid[])`.execute(
      em.getKysely(),
    );
    await sql`delete from idempotent_requests where id = any(${named.map(({ id }) => id)}::uuid[])`.execute(em.getKysely());
  }
}
