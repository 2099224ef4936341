export const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (depth: number, field: string) => `${`${field} { `.repeat(depth)}__typename${' }'.repeat(depth)}`;
const PAGE =
  'connections(first: 100) { edges { node { id subscriptions(first: 100) { edges { node { id connection { id } } } } } } }';

/** Documents of an attacker, by name. All of them are refused. */
export const maliciousDocuments: [string, string][] = [
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
  ['an alias of 1 MB', `{ connections(first: 100) { edges { node { ${'a'.repeat(1_000_000)}: id } } } }`],
  ['an alias of 1 MB in the schema', `{ __schema { types { ${'a'.repeat(1_000_000)}: name } } }`],
  ['an alias that is a little too long', `{ ${'a'.repeat(129)}: __typename }`],
  [
    'a fragment, an operation and a variable of 1 MB',
    `query ${'a'.repeat(1_000_000)}($${'v'.repeat(1_000_000)}: Int) { ...${'f'.repeat(1_000_000)} }`,
  ],
  ['an unknown field of 1 MB', `{ ${'a'.repeat(1_000_000)} }`],
  ['a number of 1 MB', `{ connections(first: ${'1'.repeat(1_000_000)}) { totalCount } }`],
  ['a fraction of 1 MB', `{ connections(first: 1.${'1'.repeat(1_000_000)}e1) { totalCount } }`],
  ['a text of 1 MB in place of a number', `{ connections(first: "${'x'.repeat(1_000_000)}") { totalCount } }`],
  ['a text of 1 MB in place of a choice', `{ connections(filter: { type: "${'x'.repeat(1_000_000)}" }) { totalCount } }`],
  ['directives', `{ __typename ${'@include(if: true) '.repeat(2_000)} }`],
  ['1 MB of fields', `{ ${'organization { id } '.repeat(52_000)} }`],
  ['1 MB of one text', `{ connection(id: "${'x'.repeat(1_000_000)}") { ${nested(20, 'a')} } }`],
  ['1 MB of operations', times(40_000, (index) => `query Q${index} { __typename }`)],
  ['an introspection bomb', `{ __schema { types { ${nested(40, 'fields { type')}${' }'.repeat(40)} } } }`],
  ['an introspection bomb of aliases', `{ __schema { ${times(500, (index) => `a${index}: types { fields { name } }`)} } }`],
  ['variables without end', `query (${times(3_000, (index) => `$v${index}: Int`)}) { __typename }`],
];
