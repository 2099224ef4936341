import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Platform } from '../support/Platform.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, subscribe } from '../support/webhookFlow.js';

let switchboard: TestSwitchboard;
let platform: Platform;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  platform = await Platform.of(switchboard);
});
afterAll(() => switchboard.close());

describe('upsertOrganization', () => {
  it('creates an organization, and updates only the given fields', async () => {
    const made = await platform.upsert({
      externalId: 'shop-1',
      name: ' Shop one ',
      metadata: { plan: 'pro', seats: 3, paid: true },
    });
    expect(made).toMatchObject({
      organization: { externalId: 'shop-1', name: 'Shop one', metadata: { plan: 'pro', seats: 3, paid: true }, deletion: null },
      ...{ created: true, userErrors: [] },
    });
    const again = await platform.upsert({ externalId: 'shop-1' });
    expect(again).toEqual({ ...made, created: false });
    expect((await platform.upsert({ externalId: 'shop-1', metadata: null })).organization).toMatchObject({
      ...{ id: made.organization.id, name: 'Shop one', metadata: {} },
    });
    expect((await platform.upsert({ externalId: 'shop-1', name: 'Shop 1' })).organization.name).toBe('Shop 1');
    expect((await platform.upsert({ externalId: 'shop-2' })).organization).toMatchObject({ name: 'shop-2', metadata: {} });
  });

  it('reports all problems of an input, and changes nothing', async () => {
    const before = await switchboard.sql('select count(*) from organizations');
    const tooMany = Object.fromEntries(Array.from({ length: 51 }, (_, key) => [`k${key}`, key]));
    const wrong: readonly [object, string, string[]][] = [
      [{ externalId: '' }, 'INVALID', ['externalId']],
      [{ externalId: 'x'.repeat(201) }, 'INVALID', ['externalId']],
      [{ externalId: 'Zoë' }, 'INVALID', ['externalId']],
      [{ externalId: ' a' }, 'INVALID', ['externalId']],
      [{ externalId: 'ok', name: 'x'.repeat(201) }, 'INVALID', ['name']],
      [{ externalId: 'ok', metadata: { ['k'.repeat(41)]: 1 } }, 'INVALID', ['metadata', 'k'.repeat(41)]],
      [{ externalId: 'ok', metadata: { note: 'x'.repeat(501) } }, 'INVALID', ['metadata', 'note']],
      [{ externalId: 'ok', metadata: { note: 'a\0b' } }, 'INVALID', ['metadata', 'note']],
      [{ externalId: 'ok', metadata: { note: '\ud800' } }, 'INVALID', ['metadata', 'note']],
      [{ externalId: 'ok', metadata: { deep: { er: 1 } } }, 'INVALID', ['metadata', 'deep']],
      [{ externalId: 'ok', metadata: { nothing: null } }, 'INVALID', ['metadata', 'nothing']],
      [{ externalId: 'ok', metadata: tooMany }, 'MAX_VALUE', ['metadata']],
    ];
    for (const [input, code, path] of wrong) {
      const { organization, userErrors } = await platform.upsert(input);
      expect([JSON.stringify(input).slice(0, 60), organization, userErrors[0]?.code, userErrors[0]?.path]).toEqual([
        JSON.stringify(input).slice(0, 60),
        ...[null, code, path],
      ]);
    }
    expect(await switchboard.sql('select count(*) from organizations')).toEqual(before);
  });

  it('by 20 concurrent callers, twice, creates each organization once', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `bulk-${index}`);
    const total = async () => (await switchboard.sql('select count(*)::int from organizations'))[0].count as number;
    const before = await total();
    const ids = new Map<string, string>();
    /** Each of four callers upserts the same 200 organizations at the same time, 25 with each request. */
    const each = async (caller: number): Promise<number> => {
      const wanted = names.slice((caller % 5) * 200, (caller % 5) * 200 + 200);
      let created = 0;
      for (let first = 0; first < wanted.length; first += 25) {
        const fields = wanted.slice(first, first + 25).map(
          (name, index) => `u${index}: upsertOrganization(input: { externalId: "${name}", name: "Bulk" }) {
            organization { id externalId } created userErrors { code } }`,
        );
        const answer: Record<string, Awaited<ReturnType<Platform['upsert']>>> = await platform.query(
          `mutation { ${fields.join('\n')} }`,
        );
        for (const { organization, created: isNew, userErrors } of Object.values(answer)) {
          expect(userErrors).toEqual([]);
          expect(ids.get(organization.externalId) ?? organization.id).toBe(organization.id);
          ids.set(organization.externalId, organization.id);
          if (isNew) created += 1;
        }
      }
      return created;
    };
    for (const expected of [names.length, 0]) {
      const created = await Promise.all(Array.from({ length: 20 }, (_, caller) => each(caller)));
      expect(created.reduce((sum, some) => sum + some, 0)).toBe(expected);
      expect(ids.size).toBe(names.length);
      expect(await total()).toBe(before + names.length);
    }
  }, 120_000);
});

describe('Organizations', () => {
  it('are listed in pages, newest first, and found by id or externalId', async () => {
    const made = [];
    for (const name of ['page-1', 'page-2', 'page-3']) made.push((await platform.upsert({ externalId: name })).organization);
    const query = `query ($after: String) { organizations(first: 2, after: $after) {
      edges { node { externalId } } pageInfo { hasNextPage endCursor } } }`;
    const first = (await platform.query(query)).organizations;
    expect(first.edges.map(({ node }: { node: { externalId: string } }) => node.externalId)).toEqual(['page-3', 'page-2']);
    const second = (await platform.query(query, { after: first.pageInfo.endCursor })).organizations;
    expect(second.edges[0].node.externalId).toBe('page-1');
    const filtered = '{ organizations(filter: { externalId: "page-2" }) { totalCount edges { node { externalId } } } }';
    expect((await platform.query(filtered)).organizations).toEqual({
      ...{ totalCount: 1, edges: [{ node: { externalId: 'page-2' } }] },
    });
    const find = (names: string) => platform.send(`{ organization(${names}) { externalId } }`);
    expect((await find(`id: "${made[0].id}"`)).data).toEqual({ organization: { externalId: 'page-1' } });
    expect((await find('externalId: "page-1"')).data).toEqual({ organization: { externalId: 'page-1' } });
    for (const nothing of ['externalId: "never"', 'id: "987654321"', 'id: "x"']) {
      expect((await find(nothing)).data).toEqual({ organization: null });
    }
    expect((await find('id: "1", externalId: "page-1"')).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

const CREATE = (kind: string, input: string) =>
  `mutation ($externalId: String, $metadata: JSONObject) { done: create${kind}(input: { ${input}, externalId: $externalId, metadata: $metadata }) {
    thing: ${kind.toLowerCase()} { id externalId metadata } userErrors { code message path } } }`;
const UPDATE = (kind: string) =>
  `mutation ($input: Update${kind}Input!) { done: update${kind}(input: $input) {
    thing: ${kind.toLowerCase()} { id externalId metadata updatedAt } userErrors { code message path } } }`;

describe.each(['Connection', 'Subscription'])('A %s', (kind) => {
  const name = kind.toLowerCase();
  const newOne = async (client: Platform | Awaited<ReturnType<Platform['newOrganization']>>, variables: object) => {
    const input =
      kind === 'Connection'
        ? 'type: WEBHOOK, webhook: { url: "https://example.com/x" }'
        : `connectionId: "${await createWebhookConnection(client)}", eventType: "parcels.event.created"`;
    return (await client.query(CREATE(kind, input), variables)).done;
  };

  it('has the externalId and the metadata of another system, and is found by them', async () => {
    const acting = await platform.newOrganization(`with-${name}`);
    const metadata = { shop: 'nl', tier: 2, live: false };
    const { thing } = await newOne(acting, { externalId: 'ours-1', metadata });
    expect(thing).toMatchObject({ externalId: 'ours-1', metadata });
    await newOne(acting, { externalId: 'ours-2' });
    expect((await acting.query(`{ ${name}(externalId: "ours-1") { id } }`))[name]).toEqual({ id: thing.id });
    expect((await acting.query(`{ ${name}(externalId: "never") { id } }`))[name]).toBeNull();
    const list = `{ list: ${name}s(filter: { externalId: "ours-1" }) { edges { node { id } } } }`;
    expect((await acting.query(list)).list.edges).toEqual([{ node: { id: thing.id } }]);
    for (const names of ['', `(id: "${thing.id}", externalId: "ours-1")`, '(id: null)']) {
      const { errors } = await acting.send(`{ ${name}${names} { id } }`);
      expect([names, errors?.[0]?.extensions.code]).toEqual([names, 'BAD_USER_INPUT']);
    }
  });

  it('updates and removes them', async () => {
    const acting = await platform.newOrganization(`changing-${name}`);
    const { thing } = await newOne(acting, { externalId: 'a', metadata: { one: 1 } });
    const update = async (input: object) => (await acting.query(UPDATE(kind), { input: { id: thing.id, ...input } })).done;
    const unchanged = await update({});
    expect(unchanged.thing).toMatchObject({ externalId: 'a', metadata: { one: 1 } });
    expect((await update({ externalId: 'a', metadata: { one: 1 } })).thing.updatedAt).toBe(unchanged.thing.updatedAt);
    expect((await update({ externalId: 'b' })).thing).toMatchObject({ externalId: 'b', metadata: { one: 1 } });
    expect((await update({ metadata: { two: 'zwei' } })).thing).toMatchObject({ externalId: 'b', metadata: { two: 'zwei' } });
    expect((await update({ externalId: null, metadata: null })).thing).toMatchObject({ externalId: null, metadata: {} });
    expect((await update({ externalId: 'x\ny', metadata: { z: [] } })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['externalId'] },
      { code: 'INVALID', path: ['metadata', 'z'] },
    ]);
  });

  it('shares its externalId with no other object of its kind in the organization, also when created concurrently', async () => {
    const acting = await platform.newOrganization(`racing-${name}`);
    const made = await Promise.all(Array.from({ length: 8 }, () => newOne(acting, { externalId: 'wanted' })));
    const won = made.filter(({ thing }) => thing);
    expect(won).toHaveLength(1);
    const { id } = won[0].thing;
    for (const { userErrors } of made.filter(({ thing }) => !thing)) {
      expect(userErrors).toEqual([
        { code: 'CONFLICT', message: `A ${name} has this externalId already: ${id}.`, path: ['externalId'] },
      ]);
    }
    const other = (await newOne(acting, {})).thing;
    const { userErrors } = (await acting.query(UPDATE(kind), { input: { id: other.id, externalId: 'wanted' } })).done;
    expect(userErrors).toMatchObject([{ code: 'CONFLICT', message: expect.stringContaining(id) }]);
    const elsewhere = await platform.newOrganization(`elsewhere-${name}`);
    expect((await newOne(elsewhere, { externalId: 'wanted' })).userErrors).toEqual([]);
    expect((await elsewhere.query(`{ ${name}(externalId: "wanted") { id } }`))[name].id).not.toBe(id);
  });
});

describe('Connections and subscriptions from before these fields', () => {
  it('have no externalId, and empty metadata', async () => {
    const id = await createWebhookConnection(switchboard.client);
    await subscribe(switchboard.client, id);
    const seen = await switchboard.client.query(
      '{ organization { externalId metadata } connections { edges { node { externalId metadata } } } subscriptions { edges { node { externalId metadata } } } }',
    );
    const nothing = { externalId: null, metadata: {} };
    expect(seen).toEqual({
      organization: nothing,
      connections: { edges: [{ node: nothing }] },
      subscriptions: { edges: [{ node: nothing }] },
    });
  });
});
