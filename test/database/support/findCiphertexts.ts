import pg from 'pg';

/** Returns the columns of all tables with ciphertexts under a key, as `schema.table.column`, sorted. */
export async function findCiphertexts(url: string, keyId: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      `select n.nspname as schema, c.relname as table, a.attname as column
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('public', 'pgboss') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`,
    );
    const found: string[] = [];
    for (const { schema, table, column } of rows) {
      // 28 bytes of nonce and tag are 38 characters.
      const { rowCount } = await client.query(`select from "${schema}"."${table}" where "${column}"::text ~ $1 limit 1`, [
        `v1\\.${keyId}\\.[\\w-]{38}`,
      ]);
      if (rowCount) found.push(`${schema}.${table}.${column}`);
    }
    return found.sort();
  } finally {
    await client.end();
  }
}
