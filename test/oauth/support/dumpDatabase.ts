import pg from 'pg';

/** Returns every row of every table of a database as text, pg-boss' tables included. Each line begins with its table. */
export async function dumpDatabase(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const lines: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ line: string }>(`select t::text as line from ${name} t`);
      lines.push(...rows.map(({ line }) => `${name}: ${line}`));
    }
    return lines;
  } finally {
    await client.end();
  }
}
