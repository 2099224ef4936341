import fastify from 'fastify';
import pg from 'pg';
import { maliciousDocuments } from '../http/limits/support/maliciousDocuments.js';
import { BenchServers, newAuthorization } from './support/BenchServers.js';
import { median, percentile } from './support/percentile.js';

const COUNT = Number(process.env.BENCH_COUNT ?? 2_000);
const AT_ONCE = 16;
const ROUNDS = 3;
const LIMIT_MS = 50;

const servers = await BenchServers.open();
const server = await servers.start();
const authorization = await newAuthorization(server);

async function ask(query: string, origin = server.publicUrl) {
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(`${origin}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return { status: response.status, text: await response.text() };
}

/** Returns how many queries are answered in a second. */
async function rate(query: string, origin?: string): Promise<number> {
  const startedAt = performance.now();
  let left = COUNT;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const { status, text } = await ask(query, origin);
        if (status !== 200) throw new Error(`Answered ${status}: ${text}`);
      }
    }),
  );
  return COUNT / ((performance.now() - startedAt) / 1_000);
}

const LIST =
  '{ connections(first: 20) { edges { node { id name status configuration { ... on WebhookConfiguration { url } } } } } }';
const NESTED =
  '{ connections(first: 20) { totalCount edges { node { id authorization { status } configuration { ... on KlaviyoConfiguration { grantedScopes } } } } } }';

/** Starts the minimal server for the list: it reads the rows and sends them as JSON, without any checks. */
async function startBare() {
  const pool = new pg.Pool({ connectionString: server.database.url, max: AT_ONCE });
  const app = fastify();
  app.post('/graphql', async () => {
    const { rows } = await pool.query('select id, name, status, configuration from connections order by id desc limit 20');
    return { data: { connections: rows } };
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  return { origin, close: async () => [await app.close(), await pool.end()] };
}

const bare = await startBare();
let broken = false;
try {
  for (let index = 0; index < 30; index += 1) {
    await ask(
      `mutation { createConnection(input: { type: ${index % 2 ? 'KLAVIYO' : 'WEBHOOK, webhook: { url: "https://example.com" }'} }) { connection { id } } }`,
    );
  }
  const rates: Record<string, number[]> = { bare: [], list: [], nested: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const measured = { bare: await rate('', bare.origin), list: await rate(LIST), nested: await rate(NESTED) };
    // The first round is a warm-up.
    if (round > 0) for (const [name, value] of Object.entries(measured)) rates[name]?.push(value);
  }
  for (const [name, values] of Object.entries(rates)) {
    const value = median(values);
    console.log(`  ${name.padEnd(50)} ${Math.round(value)}/s, ${(value / median(rates.bare ?? [])).toFixed(2)} of bare`);
  }

  for (const [name, query] of maliciousDocuments) {
    const times: number[] = [];
    for (let again = 0; again < 7; again += 1) {
      const startedAt = performance.now();
      const { status } = await ask(query);
      times.push(performance.now() - startedAt);
      broken ||= status !== 400;
    }
    const typical = median(times);
    broken ||= typical > LIMIT_MS;
    console.log(
      `${typical > LIMIT_MS ? '!' : ' '} ${name.padEnd(50)} refused in ${typical.toFixed(1)} ms (worst of 7: ${Math.max(...times).toFixed(1)})`,
    );
  }

  const calm = await latencies();
  let attacking = true;
  const attack = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let next = 0; attacking; next += 1) await ask(maliciousDocuments[next % maliciousDocuments.length]?.[1] as string);
    }),
  );
  const attacked = await latencies();
  attacking = false;
  await attack;
  console.log(
    `  others meanwhile: p50 ${median(attacked).toFixed(1)} ms, p95 ${percentile(attacked, 95).toFixed(1)} ms; without the attack ${median(calm).toFixed(1)} and ${percentile(calm, 95).toFixed(1)} ms`,
  );
} finally {
  await bare.close();
  await servers.close();
}
process.exit(broken ? 1 : 0);

async function latencies(): Promise<number[]> {
  const times: number[] = [];
  for (let again = 0; again < 150; again += 1) {
    const startedAt = performance.now();
    await ask('{ organization { name } }');
    times.push(performance.now() - startedAt);
  }
  return times;
}
