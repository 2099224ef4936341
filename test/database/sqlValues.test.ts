import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { findHealth } from '../../src/delivery/listDeliveries.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await Database.open({ url: testDatabase.url });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const ANY_TIME = '2026-01-15 10:30:00.123456+00';

/**
 * For each Postgres type of our columns, the value that a query without the ORM returns. Ids are text, because they may exceed
 * 2^53.
 */
const VALUES: Record<string, { readonly literal: string; readonly value: unknown }> = {
  bool: { literal: 'true', value: true },
  int2: { literal: '7', value: 7 },
  int4: { literal: '7', value: 7 },
  int8: { literal: '9007199254740993', value: '9007199254740993' },
  float8: { literal: '0.5', value: 0.5 },
  text: { literal: "'a'", value: 'a' },
  varchar: { literal: "'a'", value: 'a' },
  uuid: { literal: "'019a0000-0000-7000-8000-000000000000'", value: '019a0000-0000-7000-8000-000000000000' },
  _text: { literal: "array['a', 'b']", value: ['a', 'b'] },
  _int4: { literal: 'array[1, 2]', value: [1, 2] },
  json: { literal: `'{"b": 1, "a": [null]}'`, value: { b: 1, a: [null] } },
  jsonb: { literal: `'{"b": 1}'`, value: { b: 1 } },
  timestamptz: { literal: `'${ANY_TIME}'`, value: new Date('2026-01-15T10:30:00.123Z') },
};

describe('The result of SQL that bypasses entities', () => {
  it('is known for every type that a column of ours has', async () => {
    const { rows } = await sql<{ type: string }>`
      select distinct udt_name as type from information_schema.columns where table_schema = 'public'`.execute(database.sql());
    expect(rows.map(({ type }) => type).filter((type) => !(type in VALUES))).toEqual([]);
  });

  it.each(Object.entries(VALUES))('matches our types: %s', async (type, { literal, value }) => {
    const { rows } = await sql<{ value: unknown }>`select ${sql.raw(literal)}::${sql.raw(type)} as value`.execute(database.sql());
    expect(rows).toEqual([{ value }]);
    const inTransaction = await database.transaction(
      async (em) => (await sql`select ${sql.raw(literal)}::${sql.raw(type)} as value`.execute(database.sql(em))).rows,
    );
    expect(inTransaction).toEqual([{ value }]);
  });

  it("has the times of a connection's health", async () => {
    const { rows } = await sql<{ id: string }>`
      with organization as (insert into organizations (name) values ('Acme') returning id),
      connection as (
        insert into connections (organization_id, type, status, configuration)
        select id, 'webhook', 'active', '{}' from organization returning id
      )
      insert into connection_health (connection_id, failing_since, throttled_until)
      select id, ${ANY_TIME}, now() + interval '1 hour' from connection returning connection_id as id`.execute(database.sql());
    const id = Number(rows[0]?.id);
    expect(await findHealth({ database }, [id])).toEqual([
      { connectionId: id, failingSince: new Date('2026-01-15T10:30:00.123Z'), throttledUntil: expect.any(Date) },
    ]);
  });
});
