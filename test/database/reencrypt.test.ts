import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Cipher, columnIdentity } from '../../src/database/Cipher.js';
import { Database } from '../../src/database/Database.js';
import { newId } from '../../src/database/newId.js';
import { REENCRYPTION_LOCK, reencrypt } from '../../src/database/reencrypt.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { recordLog } from '../support/recordLog.js';

// `_` is a wildcard of `like`: values under kx2 must not count as values under k_2.
const old = { id: 'k1', key: Buffer.alloc(32, 1) };
const similar = { id: 'kx2', key: Buffer.alloc(32, 2) };
const current = { id: 'k_2', key: Buffer.alloc(32, 3) };
const before = new Cipher([old]);
const rotated = new Cipher([current, similar, old]);
const after = new Cipher([current]);
const UNDISTURBED = new AbortController().signal;

let testDatabase: TestDatabase;
let database: Database;
/** Another session. */
let other: pg.Client;
let organizationId: string;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
});
beforeEach(async () => {
  database = await Database.open({ url: testDatabase.url });
  other = new pg.Client({ connectionString: testDatabase.url });
  await other.connect();
  organizationId = (await other.query("insert into organizations (name) values ('Acme') returning id")).rows[0].id;
});
afterEach(async () => {
  await other.query('rollback');
  await other.query('truncate organizations cascade');
  await other.end();
  await database.close();
});
afterAll(() => testDatabase.drop());

async function run({ cipher = rotated, waiting = [] as string[], stopping = UNDISTURBED } = {}) {
  const { log, lines } = recordLog();
  const count = await reencrypt({ database, cipher, log, waitingCiphertexts: async () => waiting }, stopping);
  return { count, lines };
}

const recipientOf = (id: string) => JSON.stringify({ email: `${id}@example.com` });
const encrypted = (cipher: Cipher) => (id: string) => cipher.encrypt(recipientOf(id), columnIdentity.recipient(id));

/** Adds events; returns their ids in order. */
async function addEvents(count: number, recipient: (id: string) => string | null): Promise<string[]> {
  const ids = Array.from({ length: count }, newId);
  await other.query(
    `insert into events (id, organization_id, event_type, payload, recipient)
     select id, $1, 'test.event', '{}', recipient from unnest($2::uuid[], $3::text[]) as e (id, recipient)`,
    [organizationId, ids, ids.map(recipient)],
  );
  return ids;
}

async function recipients(): Promise<Map<string, string | null>> {
  const { rows } = await other.query('select id, recipient from events order by id');
  return new Map(rows.map(({ id, recipient }) => [id, recipient]));
}

/** Returns the number of recipients under each key. */
async function tally(): Promise<Record<string, number>> {
  const { rows } = await other.query(
    `select split_part(recipient, '.', 2) as key, count(*)::int as count from events where recipient is not null group by 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

/** Adds a Klaviyo connection with tokens; returns its id. */
async function addCredential(): Promise<number> {
  const { rows } = await other.query(
    `insert into connections (organization_id, type, status, configuration, updated_at)
     values ($1, 'klaviyo', 'active', '{}', '2026-01-01') returning id`,
    [organizationId],
  );
  const id = Number(rows[0].id);
  await other.query(
    `insert into credentials (connection_id, provider, access_token, refresh_token, scopes, expires_at, version)
     values ($1, 'klaviyo', $2, $3, '{}', now(), 7)`,
    [id, before.encrypt('access', columnIdentity.accessToken(id)), before.encrypt('refresh', columnIdentity.refreshToken(id))],
  );
  return id;
}

/** Waits until a session waits for a lock of this kind; returns its process id. */
const whoWaits = (condition: string): Promise<number> =>
  eventually(async () => {
    const { rows } = await other.query(
      `select pid from pg_locks where not granted and ${condition}
         and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rows).toHaveLength(1);
    return rows[0].pid;
  });

/** Locks an event until the returned function is called. */
async function holdUp(eventId: string): Promise<() => Promise<void>> {
  await other.query('select pg_advisory_lock(1)');
  await other.query(`
    create function wait_for_the_test() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
    create trigger held_up before update on events for each row when (old.id = '${eventId}')
      execute function wait_for_the_test()`);
  onTestFinished(async () => {
    const client = new pg.Client({ connectionString: testDatabase.url });
    await client.connect();
    await client.query('drop function wait_for_the_test cascade');
    await client.end();
  });
  return async () => void (await other.query('select pg_advisory_unlock(1)'));
}

describe('Re-encrypting after a rotation', () => {
  it('brings every value under the first key, however many there are, and leaves the rest of the table as it is', async () => {
    await addEvents(170, encrypted(before));
    await addEvents(3, () => null);
    await addEvents(130, encrypted(new Cipher([similar])));
    const untouched = await addEvents(2, encrypted(after));
    const first = await recipients();

    const { count, lines } = await run();
    expect(count).toBe(300);
    const changed = { level: 'info', currentKey: 'k_2', message: 'Values were re-encrypted with the current key' };
    const mayLeave = (key: string) =>
      `Nothing is encrypted under the key ${key}: unless it is to be the next, it may leave ENCRYPTION_KEYS`;
    expect(lines).toEqual([
      { ...changed, key: 'k1', count: 170 },
      { ...changed, key: 'kx2', count: 130 },
      { level: 'info', key: 'kx2', message: mayLeave('kx2') },
      { level: 'info', key: 'k1', message: mayLeave('k1') },
    ]);
    const now = await recipients();
    expect([...now.keys()]).toEqual([...first.keys()]);
    for (const [id, value] of now) {
      if (value === null) expect(first.get(id)).toBeNull();
      else expect(after.decrypt(value, columnIdentity.recipient(id))).toBe(recipientOf(id));
    }
    for (const id of untouched) expect(now.get(id)).toBe(first.get(id));

    expect((await run()).count).toBe(0);
    expect(await recipients()).toEqual(now);
  });

  it("disturbs neither a credential's version nor the time that a connection was changed", async () => {
    const id = await addCredential();
    const rest = async () =>
      (
        await other.query(
          `select version, last_refreshed_at, refresh_leased_by, refresh_leased_until, expires_at, updated_at
           from credentials join connections on id = connection_id`,
        )
      ).rows;
    const first = await rest();
    expect((await run()).count).toBe(2);
    expect(await rest()).toEqual(first);
    const [tokens] = (await other.query('select access_token, refresh_token from credentials')).rows;
    expect(after.decrypt(tokens.access_token, columnIdentity.accessToken(id))).toBe('access');
    expect(after.decrypt(tokens.refresh_token, columnIdentity.refreshToken(id))).toBe('refresh');
  });

  it('does nothing while there is one key', async () => {
    await addEvents(3, encrypted(before));
    expect(await run({ cipher: after })).toEqual({ count: 0, lines: [] });
    expect(await tally()).toEqual({ k1: 3 });
  });

  it('is done by one process at a time', async () => {
    await addEvents(20, encrypted(before));
    await other.query('select pg_advisory_lock($1)', [REENCRYPTION_LOCK]);
    // A second run may be ahead of the first one's position, so it waits for its turn and reports nothing before.
    const runs = Promise.all([run(), run(), run()]);
    await sleep(500);
    expect(await tally()).toEqual({ k1: 20 });
    await other.query('select pg_advisory_unlock($1)', [REENCRYPTION_LOCK]);
    expect((await runs).reduce((sum, { count }) => sum + count, 0)).toBe(20);
    expect(await tally()).toEqual({ k_2: 20 });
  }, 60_000);
});

describe('A value that can not be decrypted', () => {
  it('is counted and left as it is, and the others are re-encrypted', async () => {
    const lost = new Cipher([{ id: 'lost', key: Buffer.alloc(32, 9) }]);
    const [stranger = ''] = await addEvents(1, encrypted(before));
    const bad = [
      ...(await addEvents(2, (id) => `${encrypted(before)(id).slice(0, -4)}AAAA`)),
      ...(await addEvents(1, () => encrypted(before)(stranger))),
      ...(await addEvents(4, encrypted(lost))),
      ...(await addEvents(1, () => 'anna@example.com')),
      ...(await addEvents(1, () => 'v1.k1.')),
    ];
    await addEvents(5, encrypted(before));
    const first = await recipients();

    const { count, lines } = await run();
    expect(count).toBe(6);
    const now = await recipients();
    for (const id of bad) expect(now.get(id)).toBe(first.get(id));
    const message = 'Encrypted values can not be decrypted and were left as they are';
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', column: 'events.recipient', key: 'k1', count: 3, message },
      { level: 'warn', column: 'events.recipient', key: 'lost', count: 4, message },
      { level: 'warn', column: 'events.recipient', key: null, count: 2, message },
    ]);
    // The configured key may be the wrong one, so the old key must not be reported as unnecessary.
    const stays = 'The key k1 is still in use: it has to stay in ENCRYPTION_KEYS';
    expect(lines).toContainEqual({ level: 'info', key: 'k1', values: 3, jobs: 0, message: stays });
    expect(JSON.stringify(lines)).not.toContain('example.com');
  });
});

describe('A token that waits in a background job', () => {
  it('keeps its key in use until the job is done', async () => {
    const waiting = [before.encrypt('token', columnIdentity.revokedToken('1')), after.encrypt('token', 'x')];
    const { lines } = await run({ waiting });
    expect(lines).toContainEqual(expect.objectContaining({ key: 'k1', values: 0, jobs: 1 }));
    expect(lines).toContainEqual({ level: 'info', key: 'kx2', message: expect.stringContaining('may leave') });
  });
});

describe('A concurrent writer', () => {
  it('is never overwritten: a value that was stored after the old one was read stays', async () => {
    const id = await addCredential();
    // Reads go on while a writer locks the table, and the swap waits. The new tokens are stored exactly in between.
    await other.query('begin');
    await other.query('lock table credentials in exclusive mode');
    const running = run();
    await whoWaits("relation = 'credentials'::regclass");
    const refreshed = after.encrypt('the refreshed one', columnIdentity.accessToken(id));
    await other.query('update credentials set access_token = $1, version = version + 1', [refreshed]);
    await other.query('commit');
    await running;
    const [row] = (await other.query('select access_token, refresh_token, version from credentials')).rows;
    expect(row).toMatchObject({ access_token: refreshed, version: 8 });
    expect(after.decrypt(row.refresh_token, columnIdentity.refreshToken(id))).toBe('refresh');
  });

  it('that still encrypts with the old key is re-encrypted in a further walk', async () => {
    const id = await addCredential();
    await other.query('begin');
    await other.query('lock table credentials in exclusive mode');
    const running = run();
    await whoWaits("relation = 'credentials'::regclass");
    const refreshed = before.encrypt('the refreshed one', columnIdentity.accessToken(id));
    await other.query('update credentials set access_token = $1, version = version + 1', [refreshed]);
    await other.query('commit');
    expect((await running).count).toBe(2);
    const [row] = (await other.query('select access_token from credentials')).rows;
    expect(after.decrypt(row.access_token, columnIdentity.accessToken(id))).toBe('the refreshed one');
  });

  it('is never waited for: a locked row is skipped, and its key stays in use', async () => {
    const [locked = ''] = await addEvents(10, encrypted(before));
    await other.query('begin');
    await other.query('select from events where id = $1 for update', [locked]);
    const { count, lines } = await run();
    expect(count).toBe(9);
    expect(lines).toContainEqual(expect.objectContaining({ key: 'k1', values: 1, jobs: 0 }));
    await other.query('commit');
    expect((await run()).count).toBe(1);
    expect(await tally()).toEqual({ k_2: 10 });
  });
});

describe('A run that ends early', () => {
  it('keeps what it has done when it crashes, and the next one goes on', async () => {
    const ids = await addEvents(240, encrypted(before));
    const release = await holdUp(ids[120] as string);
    const running = run().catch((error: unknown) => error);
    const pid = await whoWaits("locktype = 'advisory'");
    expect(await tally()).toEqual({ k1: 140, k_2: 100 });
    await other.query('select pg_terminate_backend($1)', [pid]);
    expect(await running).toBeInstanceOf(Error);
    expect(await tally()).toEqual({ k1: 140, k_2: 100 });
    await release();
    expect((await run()).count).toBe(140);
    expect(await tally()).toEqual({ k_2: 240 });
  });

  it('stops after a batch when its process stops, and does not report a key as unnecessary', async () => {
    const ids = await addEvents(240, encrypted(before));
    const release = await holdUp(ids[120] as string);
    const stopping = new AbortController();
    const running = run({ stopping: stopping.signal });
    await whoWaits("locktype = 'advisory'");
    stopping.abort();
    await release();
    const { count, lines } = await running;
    expect(count).toBe(200);
    expect(lines.map(({ message }) => message)).toEqual(['Values were re-encrypted with the current key']);
    expect(await tally()).toEqual({ k1: 40, k_2: 200 });
  });
});
