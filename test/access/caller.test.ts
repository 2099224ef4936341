import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../src/access/apiKeys.js';
import type { ApiKeyScope } from '../../src/domain/ApiKey.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { Platform } from '../support/Platform.js';
import { makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const CALLER = '{ caller { credential scopes session { id permissions } organization { id name } } }';
const WITHOUT_ORGANIZATION = '{ caller { credential scopes session { id permissions } } }';

async function keyOf(owner: GraphQLClient, scopes: ApiKeyScope[]): Promise<GraphQLClient> {
  const organizationId = owner.keys.organizationId as number;
  const keys = await switchboard.database.transaction((em) => addApiKey({ em }, { organizationId, scopes }));
  return new GraphQLClient(owner.url, keys);
}

describe('caller says what the credentials are and may do', () => {
  it('of a key', async () => {
    const { client } = switchboard;
    const organization = { id: String(client.keys.organizationId), name: 'Acme' };
    expect((await client.query(CALLER)).caller).toEqual({
      ...{ credential: 'API_KEY', scopes: ['ADMIN', 'MANAGE', 'PUBLISH', 'READ'], session: null, organization },
    });
    const reader = await keyOf(client, ['read']);
    expect((await reader.query(CALLER)).caller).toMatchObject({ scopes: ['READ'], organization });
  });

  it('of a key that may not even read, which then has no organization to show', async () => {
    const publisher = await keyOf(switchboard.client, ['publish']);
    expect((await publisher.query(WITHOUT_ORGANIZATION)).caller).toEqual({
      ...{ credential: 'API_KEY', scopes: ['PUBLISH'], session: null },
    });
    expect(await publisher.send(CALLER)).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('of an access token', async () => {
    const { client } = switchboard;
    const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
      ...{ method: 'POST', headers: { authorization: client.authorization } },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const { data } = await client.send(CALLER, {}, { authorization: `Bearer ${token}` });
    expect(data.caller).toMatchObject({ credential: 'ACCESS_TOKEN', scopes: ['MANAGE', 'PUBLISH', 'READ'], session: null });
  });

  it('of a session', async () => {
    const { client } = switchboard;
    const manager = await makeSession(client, { permissions: ['MANAGE'] });
    expect((await manager.send(CALLER)).data.caller).toMatchObject({
      ...{ credential: 'SESSION', scopes: ['MANAGE', 'READ'], session: { id: manager.id, permissions: ['MANAGE'] } },
      organization: { id: String(client.keys.organizationId) },
    });
    const connectionId = await createKlaviyoConnection(client);
    const connecting = await makeSession(client, { permissions: ['CONNECT'], connectionId });
    expect((await connecting.send(WITHOUT_ORGANIZATION)).data.caller).toEqual({
      ...{ credential: 'SESSION', scopes: [], session: { id: connecting.id, permissions: ['CONNECT'] } },
    });
    expect(await connecting.send(CALLER)).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it("of a platform's key, for an organization and for none", async () => {
    const platform = await Platform.of(switchboard);
    expect((await platform.query(CALLER)).caller).toEqual({
      ...{ credential: 'PLATFORM_KEY', scopes: [], session: null, organization: null },
    });
    const id = String(switchboard.client.keys.organizationId);
    expect((await platform.actingFor(id).query(CALLER)).caller).toEqual({
      ...{ credential: 'PLATFORM_KEY', scopes: ['ADMIN', 'MANAGE', 'PUBLISH', 'READ'], session: null },
      organization: { id, name: 'Acme' },
    });
  });

  it('and nothing without credentials', async () => {
    const answer = await switchboard.client.send(WITHOUT_ORGANIZATION, {}, { authorization: '' });
    expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});
