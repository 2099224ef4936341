import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectKlaviyo, createKlaviyoConnection } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, parcelEvent, publish, seeDeliveries, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const SEE = `query ($id: ID!) { connection(id: $id) {
  account { id name timezone }
  grant { grantedScopes missingScopes accessTokenExpiresAt lastRefreshedAt lastCheckedAt }
  configuration { ... on KlaviyoConfiguration {
    account { id name timezone } grantedScopes missingScopes accessTokenExpiresAt lastRefreshedAt lastCheckedAt
  } }
} }`;
const see = async (id: string) => (await switchboard.client.query(SEE, { id })).connection;

describe('The account and the grant of a connection', () => {
  it('are those that its configuration shows by the deprecated names', async () => {
    const id = await connectKlaviyo(switchboard.client);
    const check = 'mutation ($id: ID!) { checkConnection(input: { id: $id }) { result { outcome } userErrors { code } } }';
    expect((await switchboard.client.query(check, { id })).checkConnection).toMatchObject({ result: { outcome: 'HEALTHY' } });
    const { account, grant, configuration } = await see(id);
    const { account: sameAccount, ...sameGrant } = configuration;
    expect(account).toEqual(sameAccount);
    expect(account).toMatchObject({ id: expect.any(String), name: expect.any(String) });
    expect(grant).toEqual(sameGrant);
    expect(grant).toMatchObject({
      grantedScopes: ['accounts:read', 'events:write'],
      missingScopes: [],
      accessTokenExpiresAt: expect.stringContaining('T'),
      lastCheckedAt: expect.stringContaining('T'),
    });
  });

  it('tell which scopes the next authorization asks for in addition', async () => {
    const id = await connectKlaviyo(switchboard.client);
    const update = `mutation ($id: ID!) { updateConnection(input: {
      id: $id, configuration: { klaviyo: { scopes: ["accounts:read", "lists:read"] } } }) { userErrors { code } } }`;
    expect((await switchboard.client.query(update, { id })).updateConnection.userErrors).toEqual([]);
    expect((await see(id)).grant.missingScopes).toEqual(['lists:read']);
  });

  it('are null for a webhook and before an authorization; the account stays when the grant is revoked', async () => {
    expect(await see(await createWebhookConnection(switchboard.client))).toMatchObject({ account: null, grant: null });
    expect(await see(await createKlaviyoConnection(switchboard.client))).toMatchObject({ account: null, grant: null });
    const id = await connectKlaviyo(switchboard.client);
    const { account } = await see(id);
    const revoke = 'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }';
    await switchboard.client.query(revoke, { id });
    expect(await see(id)).toMatchObject({ account, grant: null });
  });
});

describe('The data of an event', () => {
  it('is what was published, also by its deprecated name, and in a list', async () => {
    const data = parcelEvent(987);
    const id = await publish(switchboard.client, { data });
    const fields = 'id data payload';
    const seen = await switchboard.client.query(
      `query ($id: ID!) { event(id: $id) { ${fields} } events(first: 1) { edges { node { ${fields} } } } }`,
      { id },
    );
    expect(seen.event).toEqual({ id, data, payload: data });
    expect(seen.events.edges).toEqual([{ node: seen.event }]);
  });
});

describe('The id of an input that names its own object', () => {
  it('of retryDelivery is id; deliveryId is deprecated and means the same', async () => {
    const connectionId = await createWebhookConnection(switchboard.client);
    await subscribe(switchboard.client, connectionId);
    const eventId = await publish(switchboard.client);
    const [delivery] = await seeDeliveries(switchboard.client, { eventId, connectionId });
    const retry = async (input: object) =>
      (
        await switchboard.client.query(
          'mutation ($input: RetryDeliveryInput!) { retryDelivery(input: $input) { delivery { id } userErrors { code path } } }',
          { input },
        )
      ).retryDelivery;
    const retried = { delivery: { id: delivery.id }, userErrors: [] };
    expect(await retry({ id: delivery.id })).toEqual(retried);
    expect(await retry({ deliveryId: delivery.id })).toEqual(retried);
    const refused = (code: string, path: string) => ({ delivery: null, userErrors: [{ code, path: [path] }] });
    expect(await retry({})).toEqual(refused('REQUIRED', 'id'));
    expect(await retry({ id: delivery.id, deliveryId: delivery.id })).toEqual(refused('INVALID', 'deliveryId'));
    expect(await retry({ id: 'nothing' })).toEqual(refused('NOT_FOUND', 'id'));
    expect(await retry({ deliveryId: 'nothing' })).toEqual(refused('NOT_FOUND', 'deliveryId'));
  });

  it('of checkConnection is id; connectionId is deprecated and means the same', async () => {
    const id = await createKlaviyoConnection(switchboard.client);
    const check = async (input: object) =>
      (
        await switchboard.client.query(
          'mutation ($input: CheckConnectionInput!) { checkConnection(input: $input) { result { outcome } userErrors { code path } } }',
          { input },
        )
      ).checkConnection;
    const checked = { result: { outcome: 'NOT_AUTHORIZED' }, userErrors: [] };
    expect(await check({ id })).toEqual(checked);
    expect(await check({ connectionId: id })).toEqual(checked);
    const webhook = await createWebhookConnection(switchboard.client);
    expect(await check({ id: webhook })).toMatchObject({ userErrors: [{ code: 'INVALID', path: ['id'] }] });
    expect(await check({ connectionId: webhook })).toMatchObject({ userErrors: [{ code: 'INVALID', path: ['connectionId'] }] });
    expect(await check({})).toMatchObject({ result: null, userErrors: [{ code: 'REQUIRED', path: ['id'] }] });
  });
});
