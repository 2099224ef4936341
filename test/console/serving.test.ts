import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { consoleRoutes } from '../../src/http/console/consoleRoutes.js';

const BUILT = fileURLToPath(new URL('../../dist/console', import.meta.url));
const keys = { publicKey: 'pub_demo', secretKey: 'sec_</script>demo' };

async function serve(publicUrl = 'http://localhost:4000') {
  const app = Fastify({ forceCloseConnections: true });
  consoleRoutes(app, {} as never, { publicUrl, defaultKeys: keys, inboxUrl: null });
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  return app;
}

const settingsOf = (markup: string) => JSON.parse(/id="console-settings">(.*?)<\/script>/s.exec(markup)?.[1] ?? 'null');

it.each(['/', '/console', '/console/deliveries?status=FAILED', '/console/ses_abc'])(
  '%s is the page, which nobody stores',
  async (url) => {
    const app = await serve();
    const { statusCode, headers, body } = await app.inject({ url, headers: { host: 'localhost:4000' } });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    const policy = String(headers['content-security-policy']);
    expect(policy).not.toContain('unsafe');
    expect(policy).toContain("frame-ancestors 'none'");
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    expect(body).toContain(`<meta property="csp-nonce" nonce="${nonce}"`);
    // Nothing but the page's own files.
    for (const [, source] of body.matchAll(/(?:src|href)="([^"]+)"/g))
      expect(source).toMatch(/^\/console\/assets\/|^data:,$|^\/schema/);
  },
);

it('Keys are filled in for a browser on the same machine alone', async () => {
  const app = await serve();
  const local = await app.inject({ url: '/', headers: { host: 'localhost:4000' } });
  expect(settingsOf(local.body).defaultKeys).toEqual(keys);
  for (const headers of [
    { host: 'switchboard.example.com' },
    { host: 'localhost:4000', 'x-forwarded-for': '203.0.113.7' },
    { host: 'localhost:4000', via: '1.1 proxy' },
  ]) {
    expect(settingsOf((await app.inject({ url: '/', headers })).body).defaultKeys).toBeNull();
  }
  const elsewhere = await serve('https://switchboard.example.com');
  expect(settingsOf((await elsewhere.inject({ url: '/', headers: { host: 'localhost' } })).body).defaultKeys).toBeNull();
});

it('Assets are kept for ever under names that change with their content, and sent as small as the browser takes them', async () => {
  const app = await serve();
  const name = readdirSync(join(BUILT, 'assets')).find((one) => /^index-.*\.js$/.test(one)) as string;
  const url = `/console/assets/${name}`;
  const plain = await app.inject({ url });
  expect(plain.headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' });
  expect(plain.rawPayload.equals(readFileSync(join(BUILT, 'assets', name)))).toBe(true);
  for (const [accepted, encoding] of [
    ['gzip, br', 'br'],
    ['gzip;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['identity', undefined],
  ] as const) {
    const answer = await app.inject({ url, headers: { 'accept-encoding': accepted } });
    expect(answer.headers['content-encoding']).toBe(encoding);
  }
  expect((await app.inject({ url: '/console/assets/none-abc.js' })).statusCode).toBe(404);
});

it('The first load is less than 250 kB compressed', () => {
  expect(existsSync(BUILT)).toBe(true);
  const assets = join(BUILT, 'assets');
  const size = (name: string) => readFileSync(join(assets, `${name}.br`)).length;
  // What the page names, and what that imports without being asked.
  const wanted = [...readFileSync(join(BUILT, 'index.html'), 'utf8').matchAll(/\/console\/assets\/([^"]+)/g)].map(
    ([, name]) => name as string,
  );
  for (const name of wanted) {
    if (!name.endsWith('.js')) continue;
    const code = readFileSync(join(assets, name), 'utf8');
    for (const [, imported = ''] of code.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) {
      if (!wanted.includes(imported)) wanted.push(imported);
    }
  }
  const bytes = wanted.map(size).reduce((sum, one) => sum + one, 0);
  console.info(`The console's first load: ${Math.round(bytes / 1_000)} kB in ${wanted.length} files`);
  expect(bytes).toBeLessThan(250_000);
});
