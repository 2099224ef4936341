import fc from 'fast-check';
import {
  buildClientSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
let schema: GraphQLSchema;
beforeAll(async () => {
  // No worker runs and the ids below are of no object, so nothing is sent anywhere.
  switchboard = await startSwitchboard({ ROLE: 'api' });
  schema = buildClientSchema(await switchboard.client.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true })));
});
afterAll(() => switchboard.close());

const text: fc.Arbitrary<unknown> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    'parcels.event.created',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '__proto__',
    '%',
    "'; --",
    '\\',
    'x'.repeat(10_000),
    '9'.repeat(40),
  ),
);
const scalars: Record<string, fc.Arbitrary<unknown>> = {
  ID: fc.oneof(text, fc.uuid(), fc.integer({ min: 1_000_000 }), fc.constantFrom('-1', '0', '1e3', '9223372036854775808')),
  Int: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 100 }) }, fc.constantFrom(-1, 101, 2_147_483_647)),
  Boolean: fc.boolean(),
  URL: fc.oneof(fc.webUrl(), fc.constantFrom('https://example.com/hook', 'http://[::1]:1/', 'ftp://x', 'https://')),
  DateTime: fc.oneof(
    fc.constantFrom('2026-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z'),
    text,
  ),
  EmailAddress: fc.oneof(fc.emailAddress(), fc.constant('anna@example.com')),
  PhoneNumber: fc.oneof(fc.constant('+31612345678'), text),
  JSONObject: fc.dictionary(fc.string(), fc.jsonValue()),
};

/** Returns values of a type: mostly valid, and as unusual as the type allows. */
function valuesOf(type: GraphQLInputType): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return valuesOf(type.ofType);
  return fc.option(present(type), { nil: null, freq: 2 });
}

function present(type: GraphQLInputType): fc.Arbitrary<unknown> {
  if (isListType(type)) return fc.array(valuesOf(type.ofType), { maxLength: 3 });
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    if (type.isOneOf) {
      return fc.oneof(...fields.map((field) => fc.record({ [field.name]: present(field.type) }, { requiredKeys: [field.name] })));
    }
    const requiredKeys = fields.filter(({ type: field }) => isNonNullType(field)).map(({ name }) => name);
    return fc.record(Object.fromEntries(fields.map((field) => [field.name, valuesOf(field.type)])), { requiredKeys });
  }
  return scalars[getNamedType(type).name] ?? text;
}

function operationOf(kind: 'query' | 'mutation', { name, args, type }: GraphQLField<unknown, unknown>): string {
  const variables = args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const given = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const selection = isLeafType(getNamedType(type)) ? '' : ' { __typename }';
  return `${kind} (${variables}) { ${name}(${given})${selection} }`;
}

describe('For arbitrary input', () => {
  it.each(['query', 'mutation'] as const)('no %s causes an internal error', async (kind) => {
    const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    const fields = Object.values(root?.getFields() ?? {}).filter(({ args }) => args.length > 0);
    expect(fields.length).toBeGreaterThan(5);
    for (const field of fields) {
      const values = fc.record(Object.fromEntries(field.args.map((arg) => [arg.name, valuesOf(arg.type)])));
      const operation = operationOf(kind, field);
      await fc.assert(
        fc.asyncProperty(values, async (variables) => {
          const { status, errors = [] } = await switchboard.client.send(operation, variables);
          expect(status, `${field.name}: ${JSON.stringify(errors)}`).toBeLessThan(500);
          for (const { extensions } of errors) expect(['BAD_USER_INPUT', 'FORBIDDEN']).toContain(extensions.code);
        }),
        { numRuns: 40 },
      );
    }
  });

  it.each(['events', 'subscriptions', 'deliveries'])('%s filtered by text that Postgres cannot store are empty', async (list) => {
    const query = `query ($eventType: String) { ${list}(filter: { eventType: $eventType }) { totalCount edges { node { id } } } }`;
    expect(await switchboard.client.query(query, { eventType: 'parcels\u0000' })).toEqual({
      [list]: { totalCount: 0, edges: [] },
    });
  });
});
