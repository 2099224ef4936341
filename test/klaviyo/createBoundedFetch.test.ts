import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBoundedFetch } from '../../src/klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from '../../src/klaviyo/KlaviyoOAuth.js';
import { ProviderError } from '../../src/oauth/Provider.js';

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function exchangeAt(apiUrl: string, timeoutMs = 400): Promise<ProviderError> {
  const klaviyo = new KlaviyoOAuth({
    clientId: 'id',
    clientSecret: 'secret',
    redirectUri: 'https://switchboard.example/oauth/klaviyo/callback',
    authorizeUrl: `${apiUrl}/oauth/authorize`,
    apiUrl,
    revision: '2026-07-15',
    defaultScopes: [],
    sandbox: false,
    fetch: createBoundedFetch({ timeoutMs, maxBodyBytes: 1_000 }),
  });
  const failure = await klaviyo.exchange({ code: 'c', codeVerifier: 'v'.repeat(43), redirectUri: 'x' }).then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ProviderError);
  return failure as ProviderError;
}

describe('Responses of Klaviyo are limited in time and size', () => {
  it('an answer that never begins', async () => {
    const url = await serve(() => undefined);
    expect(await exchangeAt(url)).toMatchObject({ kind: 'transient', code: 'provider_timeout' });
  });

  it('a body that drips forever', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    expect(await exchangeAt(url)).toMatchObject({ kind: 'transient', code: 'provider_timeout' });
  });

  it('a body without an end: the connection is cut soon after the limit', async () => {
    let sent = 0;
    let cut: () => void = () => undefined;
    const wasCut = new Promise<void>((resolve) => {
      cut = resolve;
    });
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && sent < 50_000_000 && response.write(Buffer.alloc(500, 32))) sent += 500;
      };
      response.on('drain', more).on('close', cut);
      more();
    });
    expect(await exchangeAt(url, 30_000)).toMatchObject({
      kind: 'transient',
      code: 'provider_unavailable',
      message: 'Klaviyo sent more than 1000 bytes, which is no answer.',
    });
    await wasCut;
    expect(sent).toBeLessThan(20_000_000);
  });

  it('a redirect is a response and is not followed', async () => {
    let followed = false;
    const elsewhere = await serve((_request, response) => {
      followed = true;
      response.end('{}');
    });
    const url = await serve((_request, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await exchangeAt(url)).toMatchObject({ kind: 'transient', code: 'provider_unavailable' });
    expect(followed).toBe(false);
  });

  it('an answer without a body', async () => {
    const url = await serve((_request, response) => response.writeHead(204).end());
    expect(await createBoundedFetch({ timeoutMs: 30_000, maxBodyBytes: 1_000 })(url)).toMatchObject({ status: 204 });
    expect(await exchangeAt(url)).toMatchObject({ kind: 'transient' });
  });
});

describe('The meaning of a failure (RFC 6749 5.2)', () => {
  const json = (status: number, body: object, headers: Record<string, string> = {}) =>
    serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)),
    );
  const challenge = { 'www-authenticate': 'Basic realm="Klaviyo"' };

  it.each<[number, string, Record<string, string>, ProviderError['kind'], string]>([
    [400, 'invalid_grant', {}, 'grant', 'invalid_grant'],
    [400, 'invalid_request', {}, 'grant', 'invalid_request'],
    [400, 'invalid_client', {}, 'configuration', 'invalid_client'],
    [401, 'invalid_client', {}, 'configuration', 'invalid_client'],
    [401, 'invalid_client', challenge, 'configuration', 'invalid_client'],
    [400, 'unauthorized_client', {}, 'configuration', 'unauthorized_client'],
    [400, 'invalid_grant_type', {}, 'configuration', 'invalid_grant_type'],
    [429, 'invalid_grant', { 'retry-after': '7' }, 'transient', 'rate_limited'],
    [500, 'invalid_grant', {}, 'transient', 'provider_unavailable'],
    [503, 'invalid_client', {}, 'transient', 'provider_unavailable'],
  ])('%i %s %o: %s, %s', async (status, error, headers, kind, code) => {
    const failure = await exchangeAt(await json(status, { error }, headers));
    expect(failure).toMatchObject({ kind, code, retryAfterSeconds: status === 429 ? 7 : null });
  });

  it.each([400, 401, 403])('HTML with %i never means that the grant is invalid', async (status) => {
    const url = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'text/html', ...challenge }).end('<html>invalid_grant</html>'),
    );
    expect(await exchangeAt(url)).toMatchObject({ kind: 'transient', code: 'provider_unavailable' });
  });
});
