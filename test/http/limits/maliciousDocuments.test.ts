import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
  for (let index = 0; index < 20; index += 1) await switchboard.client.send('{ organization { id } }');
});
afterAll(() => switchboard.close());

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (depth: number, field: string) => `${`${field} { `.repeat(depth)}__typename${' }'.repeat(depth)}`;
const PAGE =
  'connections(first: 100) { edges { node { id subscriptions(first: 100) { edges { node { id connection { id } } } } } } }';

const documents: [string, string][] = [
  ['deep', `{ ${nested(5_000, 'connections')} }`],
  [
    'deep in a valid way',
    `{ ${nested(6, 'connections { edges { node { subscriptions { edges { node')}${' } } } } }'.repeat(6)} }`,
  ],
  ['deep values', `{ connection(id: ${'['.repeat(50_000)}${']'.repeat(50_000)}) { id } }`],
  ['wide', `{ ${times(100_000, () => '__typename')} }`],
  ['aliased', `{ ${times(1_000, (index) => `a${index}: connections { totalCount }`)} }`],
  ['costly', `{ ${times(25, (index) => `a${index}: ${PAGE}`)} }`],
  ['a fragment that holds itself', 'query { ...A } fragment A on Query { ...A }'],
  [
    'fragments in a circle',
    `query { ...F0 } ${times(200, (index) => `fragment F${index} on Query { ...F${(index + 1) % 200} }`)}`,
  ],
  [
    'fragments that double',
    `query { ...F0 } ${times(30, (index) => `fragment F${index} on Query { ...F${index + 1} ...F${index + 1} }`)} fragment F30 on Query { connections { totalCount } }`,
  ],
  ['fields that have to be compared with each other', `{ ${times(1_300, () => 'organization { id }')} }`],
  ['the same field as often as tokens allow', `{ ${times(980, () => '__typename')} }`],
  ['directives', `{ __typename ${'@include(if: true) '.repeat(2_000)} }`],
  ['1 MB of fields', `{ ${'organization { id } '.repeat(52_000)} }`],
  ['1 MB of one text', `{ connection(id: "${'x'.repeat(1_000_000)}") { ${nested(20, 'a')} } }`],
  ['1 MB of operations', times(40_000, (index) => `query Q${index} { __typename }`)],
  ['an introspection bomb', `{ __schema { types { ${nested(40, 'fields { type')}${' }'.repeat(40)} } } }`],
  ['an introspection bomb of aliases', `{ __schema { ${times(500, (index) => `a${index}: types { fields { name } }`)} } }`],
  ['variables without end', `query (${times(3_000, (index) => `$v${index}: Int`)}) { __typename }`],
];

async function post(body: string) {
  const { authorization } = switchboard.client;
  const headers = { 'content-type': 'application/json', authorization };
  const response = await fetch(switchboard.client.url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

describe('A malicious document is refused, in few words', () => {
  it.each(documents)('%s', async (_what, query) => {
    const { status, text } = await post(JSON.stringify({ query }));
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(20_000);
  });

  it('a batch', async () => {
    const batch = Array.from({ length: 1_000 }, () => ({ query: '{ organization { id } }' }));
    expect(await post(JSON.stringify(batch))).toMatchObject({ status: 400 });
  });

  it('but not a large one that is none', async () => {
    const query = `{ ${times(245, () => 'organization { id }')} }`;
    expect(await post(JSON.stringify({ query }))).toMatchObject({ status: 200 });
  });

  it('and the server still answers others', async () => {
    const body = JSON.stringify({ query: documents[3]?.[1] });
    const attack = Promise.all(Array.from({ length: 20 }, () => post(body)));
    expect(await switchboard.client.send('{ organization { id } }')).toMatchObject({ status: 200 });
    await attack;
  });
});
