import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { graphiqlApp } from './support/graphiqlApp.js';

const examples = [{ name: 'A name', query: '{ greeting }' }];
const assetPaths = (page: string) =>
  [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path as string);

describe('GET /graphiql', () => {
  it('has its own strict policy, and is neither stored nor indexed', async () => {
    const { app } = await graphiqlApp({ examples });
    const { headers, statusCode } = await app.inject({ url: '/graphiql', headers: { host: 'localhost:4000' } });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
        "connect-src 'self' ws://localhost:4000 wss://localhost:4000; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each(["evil; script-src 'unsafe-inline'", 'a,b', 'a b'])('does not copy the Host %j into the policy', async (host) => {
    const { app } = await graphiqlApp({ examples });
    const { headers } = await app.inject({ url: '/graphiql', headers: { host } });
    expect(headers['content-security-policy']).toContain("connect-src 'self'; base-uri");
  });

  it('loads nothing from other origins, and has no inline script', async () => {
    const { app } = await graphiqlApp({ examples });
    const { body } = await app.inject('/graphiql');
    expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect([...body.matchAll(/<script(?! src=)[^>]*>/g)].map(([tag]) => tag)).toEqual([
      '<script type="application/json" id="graphiql-config">',
    ]);
  });

  it('contains no headers by default', async () => {
    const without = await graphiqlApp({ examples });
    expect((await without.app.inject('/graphiql')).body).not.toContain('defaultHeaders');
    const given = await graphiqlApp({ examples, defaultHeaders: { Authorization: 'Basic abc' } });
    expect((await given.app.inject('/graphiql/')).body).toContain('"defaultHeaders":{"Authorization":"Basic abc"}');
  });

  it.each<[string, string, Record<string, string>]>([
    ['the public URL is not of this machine', 'https://switchboard.example', {}],
    ['the request came by another name', 'http://localhost:4000', { host: 'rebound.example' }],
    ['a proxy forwarded it', 'http://localhost:4000', { 'x-forwarded-for': '203.0.113.7' }],
    ['a proxy forwarded it, and says so in the new way', 'http://localhost:4000', { forwarded: 'for=203.0.113.7' }],
    ['a proxy told only the scheme', 'http://localhost:4000', { 'x-forwarded-proto': 'https' }],
  ])('contains none when %s', async (_why, publicUrl, headers) => {
    const { app } = await graphiqlApp({ examples, publicUrl, defaultHeaders: { Authorization: 'Basic abc' } });
    const { body } = await app.inject({ url: '/graphiql', headers });
    expect(body).toContain('graphiql-config');
    expect(body).not.toContain('Basic abc');
  });

  it('contains none for a browser on another machine', async () => {
    const { app } = await graphiqlApp({ examples, defaultHeaders: { Authorization: 'Basic abc' } });
    expect((await app.inject({ url: '/graphiql', remoteAddress: '10.0.0.7' })).body).not.toContain('Basic abc');
    expect((await app.inject({ url: '/graphiql', remoteAddress: '::ffff:127.0.0.1' })).body).toContain('Basic abc');
  });

  it('escapes its configuration, so that it cannot end its element', async () => {
    const { app } = await graphiqlApp({ examples: [{ name: '</script><script>alert(1)</script>', query: '<!--' }] });
    const { body } = await app.inject('/graphiql');
    expect(body).not.toContain('<script>alert');
    expect(body).not.toContain('<!--');
  });
});

describe('GET /graphiql/assets/…', () => {
  it("serves the page's files, to be cached for ever", async () => {
    const { app } = await graphiqlApp({ examples });
    const paths = assetPaths((await app.inject('/graphiql')).body);
    expect(paths).toHaveLength(6);
    for (const path of paths) {
      const { statusCode, headers, rawPayload } = await app.inject(path);
      expect(statusCode).toBe(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['content-type']).toBe(path.endsWith('.js') ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8');
      expect(headers['content-encoding']).toBeUndefined();
      const compressed = await app.inject({ url: path, headers: { 'accept-encoding': 'br, gzip' } });
      expect(compressed.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(compressed.rawPayload).equals(rawPayload)).toBe(true);
      const plain = await app.inject({ url: path, headers: { 'accept-encoding': 'gzip;q=0, identity' } });
      expect(plain.headers['content-encoding']).toBeUndefined();
      const again = await app.inject({ url: path, headers: { 'if-none-match': `"other", W/${headers.etag}` } });
      expect([again.statusCode, again.body]).toEqual([304, '']);
    }
  });

  it('serves no other files', async () => {
    const { app } = await graphiqlApp({ examples });
    for (const path of ['/graphiql/assets/', '/graphiql/assets/graphiql.min.js', '/graphiql/assets/..%2f..%2fpackage.json']) {
      expect((await app.inject(path)).statusCode).toBe(404);
    }
  });
});
