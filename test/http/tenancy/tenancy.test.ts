import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import type { GraphQLClient } from '../../support/GraphQLClient.js';
import { Platform } from '../../support/Platform.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { createWebhookConnection, publish, seeDeliveries, subscribe } from '../../support/webhookFlow.js';
import { RestClient } from '../rest/support/RestClient.js';
import { findIdPlaces } from './support/findIdPlaces.js';
import {
  externalIdOperations,
  idOperations,
  type Kind,
  liveIdOperations,
  platformOperations,
  rootFieldsWithoutId,
} from './support/idOperations.js';

let switchboard: TestSwitchboard;
let stranger: GraphQLClient;
let foreign: Record<Kind, string>;
let own: Record<Kind | 'install', string>;
beforeAll(async () => {
  // No worker runs, so pending deliveries stay pending.
  switchboard = await startSwitchboard({ ROLE: 'api' });
  stranger = await switchboard.anotherOrganization('Globex');
  foreign = await furnish(switchboard.client);
  own = { ...(await furnish(stranger)), install: await leaveInstall() };
});
afterAll(() => switchboard.close());

async function leaveInstall(): Promise<string> {
  const page = await (await fetch(`${switchboard.publicUrl}/oauth/klaviyo/install`)).text();
  return /<code>([\w-]{43})<\/code>/.exec(page)?.[1] as string;
}

/** Creates one object of each kind. */
async function furnish(client: GraphQLClient): Promise<Record<Kind, string>> {
  const connection = await createWebhookConnection(client);
  const subscription = await subscribe(client, connection);
  const event = await publish(client);
  const [delivery] = (await seeDeliveries(client, { eventId: event })) as { id: string }[];
  const { apiKeys } = await client.query('{ apiKeys { edges { node { id } } } }');
  const { replayDeliveries } = await client.query(
    'mutation ($id: ID!) { replayDeliveries(input: { connectionId: $id, since: "2020-01-01T00:00:00Z" }) { replay { id } } }',
    { id: connection },
  );
  const replay = replayDeliveries.replay.id;
  const { organization, eraseRecipient, createSession } = {
    ...(await client.query('{ organization { id } }')),
    ...(await client.query('mutation { eraseRecipient(input: { externalId: "x" }) { erasure { id } } }')),
    ...(await client.query('mutation { createSession(input: { permissions: [VIEW] }) { session { id } } }')),
  };
  return {
    ...{ connection, subscription, event, delivery: delivery?.id as string, apiKey: apiKeys.edges[0].node.id, replay },
    ...{ organization: organization.id, erasure: eraseRecipient.erasure.id, session: createSession.session.id },
  };
}

const NEVER_WAS: Record<Kind, string> = {
  ...{ connection: '987654', subscription: '987654', apiKey: '987654' },
  ...{ event: '0193b5a0-0000-7000-8000-000000000000', delivery: '0193b5a0-0000-7000-8000-000000000000' },
  ...{ replay: '0193b5a0-0000-7000-8000-000000000000', erasure: '0193b5a0-0000-7000-8000-000000000000', organization: '987654' },
  session: '0193b5a0-0000-7000-8000-000000000000',
};

/** Returns all rows, except those that every call changes. */
const everything = async () => {
  const tables = [
    'connections',
    'subscriptions',
    'events',
    'deliveries',
    'attempts',
    'authorizations',
    'credentials',
    'installs',
    'sessions',
  ];
  const rows = await Promise.all(tables.map((table) => switchboard.sql(`select * from ${table} order by 1`)));
  return JSON.stringify([...rows, await switchboard.sql('select id, revoked_at from api_keys order by id')]);
};

describe('In GraphQL, an id of another organization is treated exactly like an unknown id', () => {
  it('wherever the schema takes one', async () => {
    const schema = buildClientSchema(await stranger.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true })));
    const places = findIdPlaces(schema);
    const known = [idOperations, liveIdOperations, platformOperations]
      .flatMap(Object.keys)
      .filter((place) => place.includes('('));
    expect(places.sort()).toEqual(known.sort());
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    const uncovered = roots.filter((root) => !places.some((place) => place.startsWith(`${root}(`)));
    expect(uncovered.sort()).toEqual([...rootFieldsWithoutId].sort());
  });

  it.each(Object.entries(idOperations))('%s', async (_place, { kind, operation, own: whose }) => {
    const before = await everything();
    const answers = await Promise.all(
      [foreign[kind], NEVER_WAS[kind], 'no id at all', '-1'].map(async (id) => {
        const { status, data, errors } = await stranger.send(operation, { id, ...(whose ? { own: own[whose] } : {}) });
        return { status, data, errors };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 200, errors: undefined });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(JSON.stringify(answers)).not.toContain(`"${foreign[kind]}"`);
    expect(await everything()).toBe(before);
  });

  it.each(Object.entries(liveIdOperations))(
    '%s, which is refused at once instead of watched',
    async (_place, { kind, operation }) => {
      const client = LiveClient.of(stranger);
      const answers = [];
      for (const id of [foreign[kind], NEVER_WAS[kind], 'no id at all', '-1']) {
        const { seen, ended } = client.watch(operation, { id });
        answers.push({ ended: await ended, seen });
      }
      await client.close();
      expect(JSON.stringify(answers[0])).toContain('"NOT_FOUND"');
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    },
  );

  it('and an externalId of another organization finds nothing', async () => {
    for (const [kind, id] of [
      ['Connection', foreign.connection],
      ['Subscription', foreign.subscription],
    ]) {
      const name = `mutation ($id: ID!) { update${kind}(input: { id: $id, externalId: "theirs" }) { userErrors { code } } }`;
      await switchboard.client.query(name, { id });
    }
    await switchboard.sql("update organizations set external_id = 'theirs' where id = ?", [foreign.organization]);
    for (const operation of externalIdOperations) {
      const answers = await Promise.all(['theirs', 'never', ''].map((id) => stranger.send(operation, { id })));
      expect(answers[0]).toMatchObject({ status: 200, errors: undefined });
      expect(answers[0]?.data).toEqual(answers[1]?.data);
      expect(JSON.stringify((await switchboard.client.send(operation, { id: 'theirs' })).data)).toContain('"id"');
    }
  });

  it('and fields for platforms are refused in the same way', async () => {
    for (const [field, operation] of Object.entries(platformOperations)) {
      for (const id of [foreign.organization, own.organization, NEVER_WAS.organization]) {
        const { status, errors } = await stranger.send(operation, { id });
        expect([field, status, errors?.[0]?.extensions.code]).toEqual([field, 403, 'FORBIDDEN']);
      }
    }
  });

  it('and lists contain nothing of other organizations', async () => {
    const seen = await stranger.query(
      '{ organization { name } connections { edges { node { id } } } events { edges { node { id } } } deliveries { edges { node { id } } } subscriptions { edges { node { id } } } apiKeys { edges { node { id } } } }',
    );
    expect(seen).toEqual({
      organization: { name: 'Globex' },
      connections: { edges: [{ node: { id: own.connection } }] },
      events: { edges: [{ node: { id: own.event } }] },
      deliveries: { edges: [{ node: { id: own.delivery } }] },
      subscriptions: { edges: [{ node: { id: own.subscription } }] },
      apiKeys: { edges: [{ node: { id: own.apiKey } }] },
    });
  });
});

describe('A platform', () => {
  it('that acts for an organization sees its objects, and no others', async () => {
    const acting = (await Platform.of(switchboard)).actingFor(own.organization);
    for (const [place, { kind, operation, own: whose }] of Object.entries(idOperations)) {
      if (place.startsWith('Mutation.')) continue;
      const variables = whose ? { own: own[whose] } : {};
      const answers = await Promise.all(
        [foreign[kind], NEVER_WAS[kind]].map((id) => acting.send(operation, { id, ...variables })),
      );
      expect([place, answers[0]?.status, answers[0]?.data]).toEqual([place, 200, answers[1]?.data]);
      expect([place, (await acting.send(operation, { id: own[kind], ...variables })).data]).toEqual([
        place,
        (await stranger.send(operation, { id: own[kind], ...variables })).data,
      ]);
    }
    const before = await everything();
    for (const { kind, operation, own: whose } of Object.values(idOperations)) {
      if (!operation.startsWith('mutation')) continue;
      const variables = whose ? { own: own[whose] } : {};
      const answers = [];
      for (const id of [foreign[kind], NEVER_WAS[kind]]) answers.push((await acting.send(operation, { id, ...variables })).data);
      expect(answers[0]).toEqual(answers[1]);
    }
    expect(await everything()).toBe(before);
    for (const operation of externalIdOperations) {
      const { data } = await acting.send(operation, { id: 'theirs' });
      expect(JSON.stringify(data)).not.toContain('"id"');
    }
  });

  it("that acts for none sees no organization's objects", async () => {
    const platform = await Platform.of(switchboard);
    const before = await everything();
    for (const [place, { kind, operation, own: whose }] of Object.entries(idOperations)) {
      if (place === 'Query.organization(id)') continue;
      const { status, data, errors } = await platform.send(operation, { id: own[kind], ...(whose ? { own: own[whose] } : {}) });
      expect([place, status, data, errors?.[0]?.extensions.code]).toEqual([place, 400, undefined, 'ORGANIZATION_REQUIRED']);
    }
    const live = LiveClient.of(platform);
    for (const { kind, operation } of Object.values(liveIdOperations)) {
      const { ended, seen } = live.watch(operation, { id: own[kind] });
      expect([await ended, seen]).toMatchObject([[{ extensions: { code: 'ORGANIZATION_REQUIRED' } }], []]);
    }
    await live.close();
    expect(await everything()).toBe(before);
  });
});

interface Document {
  paths: Record<string, Record<string, { operationId: string }>>;
}

const EVENT = 'parcels.event.created';

/** Every REST operation: which ids it takes, in the path and in the body. A new operation must be added here. */
const restOperations: Record<string, { path?: Kind; body?: (id: number) => object; bodyOnOwn?: Kind; plain?: object }> = {
  'get-list_connections': {},
  'post-create_connection': {},
  'get-connection': { path: 'connection' },
  'patch-connection': { path: 'connection', plain: { configuration: { url: 'https://example.com/taken' } } },
  'delete-connection': { path: 'connection' },
  'post-start_authorization': { path: 'connection' },
  'get-list_subscriptions': {},
  'post-create_subscription': { body: (id) => ({ connection_id: id, event_type: EVENT }) },
  'get-subscription': { path: 'subscription' },
  'patch-subscription': {
    path: 'subscription',
    plain: { is_active: false },
    body: (id) => ({ connection_id: id }),
    bodyOnOwn: 'subscription',
  },
  'delete-subscription': { path: 'subscription' },
  'post-test_broadcast': { path: 'subscription' },
};

describe('In REST, an id of another organization is treated exactly like an unknown id', () => {
  const operationsOf = async () => {
    const document = (await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as Document;
    return Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => ({
        ...{ path, method: method.toUpperCase() },
        operationId: operationId.replace('sc-public-v3-scp-', ''),
      })),
    );
  };

  it('for every operation', async () => {
    const rest = new RestClient(switchboard.publicUrl, stranger.authorization);
    const operations = await operationsOf();
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(restOperations).sort());
    const before = await everything();
    for (const { path, method, operationId } of operations) {
      const { path: kind, body, bodyOnOwn, plain } = restOperations[operationId] as (typeof restOperations)[string];
      const address = (id: string) => path.replace('/event-subscriptions', '').replace(/\{\w+\}/, id);
      const ask = async (id: string, sent?: object) => {
        const { status, body: answered } = await rest.send(method, address(id), sent);
        return { status, answered };
      };
      expect(path.includes('{'), operationId).toBe(kind !== undefined);
      if (kind) {
        const answers = [await ask(foreign[kind], plain), await ask(NEVER_WAS[kind], plain), await ask('x', plain)];
        expect(answers[0], operationId).toMatchObject({ status: 404, answered: { errors: [{ code: 'not_found' }] } });
        for (const answer of answers) expect(answer, operationId).toEqual(answers[0]);
      }
      if (body) {
        const target = bodyOnOwn ? own[bodyOnOwn] : '';
        const answers = [
          await ask(target, body(Number(foreign.connection))),
          await ask(target, body(Number(NEVER_WAS.connection))),
        ];
        expect(answers[0], operationId).toMatchObject({
          status: 400,
          answered: { errors: [{ code: 'not_found', source: { pointer: '/data/connection_id' } }] },
        });
        expect(answers[1], operationId).toEqual(answers[0]);
      }
    }
    expect(await everything()).toBe(before);
  });

  it('and lists contain nothing of other organizations', async () => {
    const rest = new RestClient(switchboard.publicUrl, stranger.authorization);
    const idsOf = async (path: string) => (await rest.get(path)).body.data.map(({ id }: { id: number }) => String(id));
    expect(await idsOf('/connections')).toEqual([own.connection]);
    expect(await idsOf('/subscriptions')).toEqual([own.subscription]);
  });
});
