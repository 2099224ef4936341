import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export interface ForeignServer {
  readonly environmentFor: (publicUrl: string) => Record<string, string>;
  /** Signs in and consents, as a browser does. Returns the URL to which the browser is then redirected. */
  approve(authorizationUrl: URL): Promise<URL>;
  /** The requests to its token and revocation endpoints: status and path. */
  readonly requests: string[];
  close(): Promise<void>;
}

const CLIENT_ID = 'switchboard';
const CLIENT_SECRET = 'the-secret-of-the-foreign-server';

/**
 * Starts an OAuth server that is not ours: panva's certified oidc-provider, which requires PKCE S256 and client_secret_basic
 * and sends `iss` (RFC 9207). Only `/api/accounts` is added, which returns the account of a token as Klaviyo's API does.
 */
export async function startForeignServer(): Promise<ForeignServer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const requests: string[] = [];
  return {
    requests,
    environmentFor(publicUrl) {
      const provider = createProvider(issuer, `${publicUrl}/oauth/klaviyo/callback`);
      const handle = provider.callback();
      server.on('request', async (request, response) => {
        const path = request.url?.split('?')[0] ?? '';
        response.on('finish', () => requests.push(`${response.statusCode} ${path}`));
        if (path !== '/api/accounts') return handle(request, response);
        const token = await provider.AccessToken.find(request.headers.authorization?.slice('Bearer '.length) ?? '');
        const attributes = {
          contact_information: { organization_name: `Store of ${token?.accountId}` },
          timezone: 'Europe/Berlin',
        };
        response.writeHead(token ? 200 : 401, { 'content-type': 'application/vnd.api+json' });
        response.end(JSON.stringify(token ? { data: [{ type: 'account', id: token.accountId, attributes }] } : { errors: [] }));
      });
      return {
        KLAVIYO_CLIENT_ID: CLIENT_ID,
        KLAVIYO_CLIENT_SECRET: CLIENT_SECRET,
        KLAVIYO_AUTHORIZE_URL: `${issuer}/oauth/authorize`,
        KLAVIYO_API_URL: issuer,
      };
    },
    approve: (url) => browseAndApprove(url, issuer),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function createProvider(issuer: string, redirectUri: string): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    scopes: ['accounts:read', 'events:write'],
    pkce: { required: () => true },
    routes: { authorization: '/oauth/authorize', token: '/oauth/token', revocation: '/oauth/revoke' },
    features: { revocation: { enabled: true }, devInteractions: { enabled: true } },
    issueRefreshToken: async () => true,
    findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
}

/** Follows redirects and submits the two forms until the server redirects to another site. */
async function browseAndApprove(start: URL, issuer: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 12; step += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { method: 'POST', body: form } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      form = undefined;
      if (url.origin !== issuer) return url;
      continue;
    }
    const markup = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(markup)?.[1];
    const action = /action="([^"]+)"/.exec(markup)?.[1];
    if (!prompt || !action) throw new Error(`No form at ${url}: ${response.status} ${markup}`);
    url = new URL(action, url);
    form = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login: 'merchant', password: 'any' } : {}) });
  }
  throw new Error(`No end of forms at ${url}`);
}
