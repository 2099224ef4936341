import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../src/access/apiKeys.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { RestClient } from '../http/rest/support/RestClient.js';
import { eventually } from '../support/eventually.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { Platform } from '../support/Platform.js';
import { startSwitchboard, TEST_KEY, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let platform: Platform;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', CORS_ORIGINS: 'https://app.example.com' });
  platform = await Platform.of(switchboard);
});
afterAll(() => switchboard.close());

const codeOf = async (client: GraphQLClient, query: string, headers = {}) => {
  const { status, errors } = await client.send(query, {}, headers);
  return [status, errors?.[0]?.extensions.code];
};

describe('The key of a platform', () => {
  it('is created on the command line, which prints only the key', async () => {
    const run = (...args: string[]) =>
      promisify(execFile)('npm', ['run', '--silent', 'org', '--', ...args], {
        env: { ...process.env, DATABASE_URL: switchboard.testDatabase.url, ENCRYPTION_KEYS: TEST_KEY },
      });
    const { stdout } = await run('platform', '--json');
    const keys = JSON.parse(stdout);
    expect(keys).toEqual({ publicKey: expect.stringMatching(/^pk_/), secretKey: expect.stringMatching(/^sk_/) });
    const made = new GraphQLClient(platform.url, keys);
    expect(await made.query('{ organizations { totalCount } }')).toEqual({ organizations: { totalCount: expect.any(Number) } });
    expect(JSON.parse((await run('platform', 'list', '--json')).stdout)[0]).toMatchObject({ publicKey: keys.publicKey });
    await run('keys', 'revoke', keys.publicKey);
    expect(await codeOf(made, '{ organizations { totalCount } }')).toEqual([401, 'UNAUTHENTICATED']);
    await expect(run('keys', 'add', '1', '--scopes', 'platform')).rejects.toThrow('There is no scope "platform"');
  });

  it('cannot be created by a caller, and the database refuses it for an organization', async () => {
    const acting = await platform.newOrganization('no-more-platforms');
    const { status, errors } = await acting.send(
      'mutation { createApiKey(input: { scopes: [PLATFORM] }) { apiKey { id } userErrors { code } } }',
    );
    expect([status, errors?.[0]?.message]).toEqual([400, expect.stringContaining('ApiKeyScope')]);
    const organizationId = switchboard.client.keys.organizationId as number;
    const smuggled = switchboard.database.transaction((em) =>
      addApiKey({ em }, { organizationId, scopes: ['platform' as never] }),
    );
    await expect(smuggled).rejects.toThrow('api_keys_platform_check');
    const { createApiKey: created } = await acting.query(
      'mutation { createApiKey(input: {}) { apiKey { scopes publicKey } secretKey userErrors { code } } }',
    );
    expect(created).toMatchObject({ apiKey: { scopes: ['MANAGE', 'PUBLISH', 'READ'] }, userErrors: [] });
    const own = new GraphQLClient(platform.url, { publicKey: created.apiKey.publicKey, secretKey: created.secretKey });
    expect(await own.query('{ organization { externalId } }')).toEqual({ organization: { externalId: 'no-more-platforms' } });
  });

  it('gets no access token', async () => {
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: platform.authorization, 'switchboard-organization': 'x' } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'unauthorized_client', error_description: expect.stringContaining('Basic') },
    ]);
  });

  it('without the header is told to send it for every field that requires an organization', async () => {
    const queries = { '{ connections { totalCount } }': 400, '{ apiKeys { totalCount } }': 400, '{ organization { id } }': 200 };
    for (const [query, expected] of Object.entries(queries)) {
      const { status, errors } = await platform.send(query);
      expect([query, status, errors?.[0]?.extensions.code]).toEqual([query, expected, 'ORGANIZATION_REQUIRED']);
      expect(errors?.[0]?.message).toContain('Switchboard-Organization');
    }
    const rest = new RestClient(switchboard.publicUrl, platform.authorization);
    expect(await rest.get('/connections')).toMatchObject({
      ...{ status: 400, body: { errors: [{ code: 'required', source: { header: 'Switchboard-Organization' } }] } },
    });
    const live = LiveClient.of(platform);
    expect(await live.watch('subscription { connectionUpdated { id } }').ended).toMatchObject([
      { extensions: { code: 'ORGANIZATION_REQUIRED' } },
    ]);
    expect(live.closes).toEqual([]);
    const { seen, ended } = live.watch('{ organizations(first: 1) { edges { node { id } } } }');
    expect([await ended, seen.length]).toEqual(['complete', 1]);
    await live.close();
  });
});

describe('With the header Switchboard-Organization, a platform acts for one organization', () => {
  it('named by externalId or id, with every scope', async () => {
    const acting = await platform.newOrganization('merchant-a');
    const connection = await createWebhookConnection(acting);
    await subscribe(acting, connection);
    const event = await publish(acting);
    const { organization, apiKeys } = await acting.query('{ organization { id externalId } apiKeys { totalCount } }');
    expect([organization.externalId, apiKeys.totalCount]).toEqual(['merchant-a', 0]);
    expect(await platform.actingFor(organization.id).query('{ events { edges { node { id } } } }')).toEqual({
      events: { edges: [{ node: { id: event } }] },
    });
    const reveal = 'mutation ($id: ID!) { revealSigningSecret(input: { connectionId: $id }) { signingSecret } }';
    expect((await acting.query(reveal, { id: connection })).revealSigningSecret.signingSecret).toMatch(/^whsec_/);
  });

  it('over REST', async () => {
    const acting = await platform.newOrganization('merchant-rest');
    const connection = await createWebhookConnection(acting);
    const rest = new RestClient(switchboard.publicUrl, platform.authorization);
    const headers = { 'Switchboard-Organization': 'merchant-rest' };
    expect((await rest.get('/connections', headers)).body.data).toMatchObject([{ id: Number(connection) }]);
    expect((await rest.send('DELETE', `/connections/${connection}`, undefined, headers)).status).toBe(204);
    for (const [name, status, code] of [
      ['nobody', 404, 'not_found'],
      ['é', 400, 'invalid'],
      ['', 400, 'invalid'],
    ] as const) {
      expect(await rest.get('/connections', { 'Switchboard-Organization': name })).toMatchObject({
        ...{ status, body: { errors: [{ code, source: { header: 'Switchboard-Organization' } }] } },
      });
    }
  });

  it('over a websocket, by the payload of connection_init', async () => {
    const acting = await platform.newOrganization('merchant-live');
    const parameters = { authorization: platform.authorization, 'switchboard-organization': 'merchant-live' };
    const live = new LiveClient(platform.url, parameters);
    const { seen } = live.watch('subscription { connectionUpdated { id } }');
    const other = await platform.newOrganization('merchant-dead');
    const id = await eventually(async () => {
      await createWebhookConnection(other);
      const made = await createWebhookConnection(acting);
      await eventually(() => expect(seen.length).toBeGreaterThan(0), { withinMs: 1_000 });
      return made;
    });
    const ids = await acting.query('{ connections { edges { node { id } } } }');
    const own = ids.connections.edges.map(({ node }: { node: { id: string } }) => node.id);
    expect(own).toContain(id);
    for (const { data } of seen) expect(own).toContain(data.connectionUpdated.id);
    await live.close();
    for (const organization of ['nobody', '', 5, ['merchant-live']]) {
      const refused = new LiveClient(platform.url, { ...parameters, 'switchboard-organization': organization });
      await refused.watch('{ organization { id } }').ended;
      expect([organization, refused.closes]).toEqual([organization, [4403]]);
      await refused.close();
    }
  });

  it('an unknown organization and a malformed name have error codes of their own', async () => {
    const query = '{ organization { id } }';
    expect(await codeOf(platform.actingFor('nobody'), query)).toEqual([404, 'ORGANIZATION_NOT_FOUND']);
    expect(await codeOf(platform.actingFor('99999999999999999999'), query)).toEqual([404, 'ORGANIZATION_NOT_FOUND']);
    for (const name of ['', 'x'.repeat(201), 'Zoë', 'a\tb']) {
      expect([name, await codeOf(platform.actingFor(name), query)]).toEqual([name, [400, 'ORGANIZATION_INVALID']]);
    }
  });

  it('and cannot manage organizations with the same call', async () => {
    const acting = await platform.newOrganization('merchant-narrow');
    const changes = [
      '{ organizations { totalCount } }',
      'mutation { upsertOrganization(input: { externalId: "another" }) { created } }',
      'mutation { deleteOrganization(input: { externalId: "merchant-narrow" }) { organization { id } } }',
    ];
    for (const change of changes) {
      expect(await codeOf(acting, change)).toEqual([403, 'FORBIDDEN']);
      expect(await codeOf(switchboard.client, change)).toEqual([403, 'FORBIDDEN']);
    }
    const other = '{ organization(externalId: "merchant-a") { id } }';
    expect(await acting.query(other)).toEqual({ organization: null });
  });

  it('and digits are never read as an id on a server where they may be an externalId', async () => {
    const target = switchboard.client.keys.organizationId as number;
    const query = '{ organization { id } }';
    expect((await platform.actingFor(String(target)).query(query)).organization.id).toBe(String(target));
    const numbered = await platform.newOrganization('1234567');
    expect(await codeOf(platform.actingFor(String(target)), query)).toEqual([404, 'ORGANIZATION_NOT_FOUND']);
    expect((await numbered.query('{ organization { externalId } }')).organization.externalId).toBe('1234567');
  });
});

describe('The header from any other caller', () => {
  it("is refused, unless it names the caller's own organization", async () => {
    const query = '{ organization { name } }';
    await platform.newOrganization('merchant-b');
    for (const name of ['merchant-b', 'nobody', '987654']) {
      const headers = { 'switchboard-organization': name };
      expect(await codeOf(switchboard.client, query, headers)).toEqual([403, 'FORBIDDEN']);
    }
    const own = { 'switchboard-organization': String(switchboard.client.keys.organizationId) };
    expect(await codeOf(switchboard.client, query, own)).toEqual([200, undefined]);
    const stranger = new GraphQLClient(platform.url, { publicKey: 'pk_x', secretKey: 'sk_x' });
    expect(await codeOf(stranger, query, own)).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('may be sent by pages of allowed origins', async () => {
    const answer = await fetch(platform.url, {
      method: 'OPTIONS',
      headers: {
        ...{ origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
        'access-control-request-headers': 'authorization,content-type,switchboard-organization',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-headers')).toContain('switchboard-organization');
  });
});

describe('Requests are counted', () => {
  it('for the organization that a platform acts for, otherwise for the platform', async () => {
    const limited = await startSwitchboard({ ROLE: 'api', RATE_LIMIT_PER_MINUTE: '5' });
    try {
      const caller = await Platform.of(limited);
      const acting = await caller.newOrganization('busy');
      const query = '{ organization { id } }';
      for (let index = 0; index < 5; index += 1) expect((await acting.send(query)).status).toBe(200);
      expect(await acting.send(query)).toMatchObject({
        ...{ status: 429, errors: [{ message: expect.stringContaining('Your organization') }] },
      });
      const list = '{ organizations { totalCount } }';
      expect((await caller.send(list)).headers.get('ratelimit-remaining')).toBe('4');
      for (let index = 0; index < 4; index += 1) expect((await caller.send(list)).status).toBe(200);
      expect(await caller.send(list)).toMatchObject({
        ...{ status: 429, errors: [{ message: expect.stringContaining('Your platform') }] },
      });
    } finally {
      await limited.close();
    }
  });
});
