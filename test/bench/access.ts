import { createHash, randomBytes } from 'node:crypto';
import { createOrganization } from '../../src/access/createOrganization.js';
import { BenchServers, basic } from './support/BenchServers.js';
import { percentile } from './support/percentile.js';

const GUESSES = 1_000;
const PAIRS = 1_500;
const QUERY = '{ organization { name } }';

const servers = await BenchServers.open();
let broken = false;
const line = (what: string, value: string, kept = true) => {
  broken ||= !kept;
  console.log(`${kept ? ' ' : '!'} ${what.padEnd(66)} ${value}`);
};

/** Sends a query with these credentials. Returns the status and the milliseconds until the response. */
async function ask(origin: string, authorization: string, query = QUERY) {
  const startedAt = performance.now();
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as { data?: never };
  return { status: response.status, ms: performance.now() - startedAt, body };
}

async function bruteForce(): Promise<void> {
  const server = await servers.start();
  const { publicKey, secretKey } = await createOrganization(server, 'Guessed at');
  const statuses = new Map<number, number>();
  let left = GUESSES;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) {
        const { status } = await ask(server.publicUrl, basic(publicKey, randomBytes(32).toString('base64url')));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const seen = [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
  const tried = statuses.get(401) ?? 0;
  line(`${GUESSES} wrong secrets from one address, limit 30 a minute`, seen, !statuses.has(200) && tried <= 60);
  line('  guesses answered a second', `${Math.round(GUESSES / seconds)}`);
  const { status } = await ask(server.publicUrl, basic(publicKey, secretKey));
  line('  the right secret from the same address meanwhile', String(status), status === 200);
}

/** Measures both in turn, so that other load on the machine affects both alike. */
async function timing(): Promise<void> {
  const server = await servers.start({ FAILED_LOGINS_PER_MINUTE: '0' });
  const { publicKey } = await createOrganization(server, 'Timed');
  const unknown = `pk_${createHash('sha256')
    .update('nobody')
    .digest('hex')
    .slice(0, publicKey.length - 3)}`;
  const wrongKey: number[] = [];
  const wrongSecret: number[] = [];
  for (let pair = 0; pair < PAIRS + 100; pair += 1) {
    const secret = randomBytes(32).toString('base64url');
    const kinds = [
      [wrongKey, unknown],
      [wrongSecret, publicKey],
    ] as const;
    for (const [times, key] of pair % 2 === 0 ? kinds : kinds.toReversed()) {
      const { ms } = await ask(server.publicUrl, basic(key, secret));
      if (pair >= 100) times.push(ms);
    }
  }
  for (const percent of [10, 50, 90]) {
    const [key, secret] = [percentile(wrongKey, percent), percentile(wrongSecret, percent)];
    line(
      `p${percent} of an unknown public key beside a wrong secret`,
      `${key.toFixed(3)} beside ${secret.toFixed(3)} ms: ${(key / secret).toFixed(3)} ×`,
    );
  }
}

/** Measures for how long a key or token that one process has revoked still works in another. */
async function revocation(): Promise<void> {
  const [first, second] = [await servers.start(), await servers.start()];
  const { publicKey, secretKey } = await createOrganization(first, 'Revoking');
  const owner = basic(publicKey, secretKey);
  const worst = { key: 0, token: 0 };
  for (let round = 0; round < 20; round += 1) {
    const create = 'mutation { createApiKey(input: { name: "x", scopes: [READ] }) { apiKey { id publicKey } secretKey } }';
    const { apiKey, secretKey: secret } = (
      (await ask(first.publicUrl, owner, create)).body.data as never as {
        createApiKey: { apiKey: { id: string; publicKey: string }; secretKey: string };
      }
    ).createApiKey;
    const key = basic(apiKey.publicKey, secret);
    const token = await newToken(first.publicUrl, key);
    for (const authorization of [key, `Bearer ${token}`]) await ask(second.publicUrl, authorization);
    await fetch(`${first.publicUrl}/oauth2/revoke`, {
      ...{ method: 'POST', headers: { authorization: key }, body: new URLSearchParams({ token }) },
    });
    worst.token = Math.max(worst.token, await worksFor(second.publicUrl, `Bearer ${token}`));
    await ask(first.publicUrl, owner, `mutation { revokeApiKey(input: { id: "${apiKey.id}" }) { userErrors { code } } }`);
    worst.key = Math.max(worst.key, await worksFor(second.publicUrl, key));
  }
  line('a revoked token works on in a second process for at most', `${worst.token.toFixed(1)} ms`, worst.token < 1_000);
  line('a revoked key works on in a second process for at most', `${worst.key.toFixed(1)} ms`, worst.key < 1_000);
}

async function newToken(origin: string, authorization: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'api' });
  const answer = await fetch(`${origin}/oauth2/token`, { method: 'POST', headers: { authorization }, body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function worksFor(origin: string, authorization: string): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { status } = await ask(origin, authorization);
    if (status === 401) return performance.now() - startedAt;
  }
}

try {
  await bruteForce();
  await timing();
  await revocation();
} finally {
  await servers.close();
}
process.exit(broken ? 1 : 0);
