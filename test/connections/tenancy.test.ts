import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphQLClient } from '../support/GraphQLClient.js';
import { connectKlaviyo } from '../support/klaviyoFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhook, findConnection } from './support/connectionCalls.js';

let switchboard: TestSwitchboard;
let owner: GraphQLClient;
let stranger: GraphQLClient;
let webhook: string;
let klaviyo: string;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  owner = switchboard.client;
  stranger = await switchboard.anotherOrganization('Globex');
  webhook = (await createWebhook(owner)).id;
  klaviyo = await connectKlaviyo(owner);
});
afterAll(() => switchboard.close());

const NEVER_WAS = '987654';

describe('An id of another organization is treated like an unknown id', () => {
  it.each<[string, string]>([
    ['connection', 'query ($id: ID!) { connection(id: $id) { id } }'],
    [
      'updateConnection',
      'mutation ($id: ID!) { updateConnection(input: { id: $id, name: "x" }) { connection { id } userErrors { code message path } } }',
    ],
    [
      'deleteConnection',
      'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } } }',
    ],
    [
      'startAuthorization',
      'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id }) { authorizationUrl userErrors { code message path } } }',
    ],
    [
      'revokeAuthorization',
      'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { connection { id } userErrors { code message path } } }',
    ],
    [
      'createSubscription',
      'mutation ($id: ID!) { createSubscription(input: { connectionId: $id, eventType: "parcels.event.created" }) { subscription { id } userErrors { code message path } } }',
    ],
    [
      'revealSigningSecret',
      'mutation ($id: ID!) { revealSigningSecret(input: { connectionId: $id }) { signingSecret userErrors { code message path } } }',
    ],
    [
      'rotateSigningSecret',
      'mutation ($id: ID!) { rotateSigningSecret(input: { connectionId: $id }) { signingSecret userErrors { code message path } } }',
    ],
  ])('for %s', async (_what, operation) => {
    const answers = await Promise.all(
      [webhook, klaviyo, NEVER_WAS, 'no-id', '-1'].map(async (id) => {
        const { status, data, errors } = await stranger.send(operation, { id });
        return { status, data, errors };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 200, errors: undefined });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(JSON.stringify(answers[0]?.data)).toMatch(/NOT_FOUND|\{"connection":null\}/);
  });

  it('and nothing of its owner has changed', async () => {
    expect(await findConnection(owner, webhook)).toMatchObject({ name: null, status: 'ACTIVE' });
    expect(await findConnection(owner, klaviyo)).toMatchObject({ name: null, status: 'ACTIVE' });
    expect(await switchboard.sql('select count(*)::int from subscriptions')).toEqual([{ count: 0 }]);
    expect(await switchboard.sql('select access_token is not null as kept from credentials')).toEqual([{ kept: true }]);
  });
});

describe('Lists contain nothing of other organizations:', () => {
  it('connections and organization', async () => {
    const own = await createWebhook(stranger);
    expect(await stranger.query('{ organization { name } connections { totalCount edges { node { id } } } }')).toEqual({
      organization: { name: 'Globex' },
      connections: { totalCount: 1, edges: [{ node: { id: own.id } }] },
    });
  });

  it("not even with another organization's cursor", async () => {
    const { connections } = await owner.query('{ connections { edges { cursor node { id } } } }');
    const { connections: page } = await stranger.query(
      'query ($c: String) { connections(before: $c) { edges { node { id } } } }',
      {
        c: connections.edges.at(-1).cursor,
      },
    );
    for (const { node } of page.edges) expect([webhook, klaviyo]).not.toContain(node.id);
  });
});
