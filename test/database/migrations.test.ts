import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { migrate } from '../../src/database/migrate.js';
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

interface Column {
  type: string;
  nullable: boolean;
}

/** Returns every column of every table in Postgres. */
async function columnsInDatabase(): Promise<Map<string, Column>> {
  const rows = await database
    .em()
    .getConnection()
    .execute(
      `select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type, not a.attnotnull as nullable
     from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`,
    );
  return new Map(rows.map(({ table, column, type, nullable }) => [`${table}.${column}`, { type, nullable }]));
}

/** Returns the columns that the entities define. */
function columnsOfEntities(): Map<string, Column> {
  const columns = new Map<string, Column>();
  for (const meta of database.orm.getMetadata().getAll().values()) {
    for (const property of meta.props) {
      property.fieldNames?.forEach((name, index) => {
        columns.set(`${meta.tableName}.${name}`, {
          type: property.columnTypes[index] ?? '',
          nullable: property.nullable ?? false,
        });
      });
    }
  }
  return columns;
}

/** Type names that mean the same. */
const SAME: Record<string, string> = {
  bigserial: 'bigint',
  int: 'integer',
  timestamptz: 'timestamp with time zone',
  'timestamptz(6)': 'timestamp with time zone',
  'timestamptz(0)': 'timestamp with time zone',
};
const canonical = (type: string) => SAME[type] ?? type;

describe('The migrations', () => {
  it('create every column that the entities have, with its type and nullability', async () => {
    const made = await columnsInDatabase();
    const wanted = columnsOfEntities();
    expect(wanted.size).toBeGreaterThan(60);
    const differences = [...wanted].flatMap(([name, { type, nullable }]) => {
      const column = made.get(name);
      const found = column && `${column.type}${column.nullable ? ' null' : ''}`;
      const expected = `${canonical(type)}${nullable ? ' null' : ''}`;
      return found === expected ? [] : [`${name}: ${expected} is wanted, ${found ?? 'nothing'} is there`];
    });
    expect(differences).toEqual([]);
  });

  it('create no column without an entity, except those of the queue', async () => {
    const wanted = columnsOfEntities();
    const tables = new Set([...wanted.keys()].map((name) => name.split('.')[0]));
    tables.delete('deliveries');
    const unknown = [...(await columnsInDatabase()).keys()].filter(
      (name) => tables.has(name.split('.')[0] as string) && !wanted.has(name),
    );
    expect(unknown).toEqual([]);
  });

  it('allow exactly the values that the entities know', async () => {
    const rows: { table: string; definition: string }[] = await database
      .em()
      .getConnection()
      .execute(
        `select conrelid::regclass::text as table, pg_get_constraintdef(oid) as definition
       from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`,
      );
    const allowed = new Map(
      rows.map(({ table, definition }) => [
        `${table}.${/\(\((\w+) = ANY/.exec(definition)?.[1]}`,
        [...definition.matchAll(/'([^']*)'/g)].map(([, value]) => value).sort(),
      ]),
    );
    const known = new Map<string, string[]>();
    for (const meta of database.orm.getMetadata().getAll().values()) {
      for (const property of meta.props) {
        if (property.enum) known.set(`${meta.tableName}.${property.fieldNames[0]}`, [...(property.items as string[])].sort());
      }
    }
    expect(known.size).toBeGreaterThan(4);
    // The server's modules define the connection types.
    expect(allowed.has('connections.type')).toBe(false);
    for (const [column, values] of known) expect([column, allowed.get(column)]).toEqual([column, values]);
  });

  it('do nothing the second time, also when several processes start at once', async () => {
    const others = await Promise.all([1, 2, 3].map(() => Database.open({ url: testDatabase.url })));
    expect(await Promise.all(others.map((other) => migrate(other)))).toEqual([[], [], []]);
    await Promise.all(others.map((other) => other.close()));
  });

  it('run once when several processes start at once on an empty database', async () => {
    await database.em().getConnection().execute('drop schema public cascade; create schema public');
    const others = await Promise.all([1, 2, 3].map(() => Database.open({ url: testDatabase.url })));
    const ran = (await Promise.all(others.map((other) => migrate(other)))).flat();
    expect(ran.length).toBeGreaterThan(1);
    expect(new Set(ran)).toHaveLength(ran.length);
    await Promise.all(others.map((other) => other.close()));
  });
});

describe('The migration that adds the scope admin', () => {
  it('gives it to keys that could manage keys before, except keys for access tokens only', async () => {
    const execute = (statement: string): Promise<Record<string, unknown>[]> => database.em().getConnection().execute(statement);
    await execute('drop index rate_limits_resets_at_index; drop index access_tokens_expires_at_index');
    await execute("delete from migrations where name like '%_bound_callers'; insert into organizations (name) values ('Acme')");
    await execute(`
      insert into api_keys (organization_id, public_key, secret_hash, scopes, oauth_only)
      select organizations.id, key, '', scopes::text[], oauth_only
      from organizations, (values
        ('all', '{manage,publish,read}', false), ('manager', '{manage}', false), ('reader', '{read}', false),
        ('oauth', '{manage,read}', true)) keys (key, scopes, oauth_only)`);
    expect(await migrate(database)).toHaveLength(1);
    const keys = await execute('select public_key, scopes from api_keys order by id');
    expect(Object.fromEntries(keys.map((key) => [key.public_key, key.scopes]))).toEqual({
      all: ['admin', 'manage', 'publish', 'read'],
      manager: ['admin', 'manage'],
      reader: ['read'],
      oauth: ['manage', 'read'],
    });
  });
});

describe('A foreign key', () => {
  it('has an index, so that deleting the referenced row scans no table', async () => {
    const rows = await database
      .em()
      .getConnection()
      .execute(
        `select k.conrelid::regclass::text as table, a.attname as column
       from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
       where k.contype = 'f' and k.connamespace = 'public'::regnamespace
         and not exists (select 1 from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1] and i.indpred is null)`,
      );
    expect(rows).toEqual([]);
  });
});
