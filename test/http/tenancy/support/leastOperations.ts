import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

/** An id of nothing: whoever may ask is told that it is not there. */
const NOTHING = '"987654"';

/** Values that each scalar takes. */
const VALUES: Readonly<Record<string, string>> = {
  ...{ ID: NOTHING, String: '"x"', Int: '400', Float: '1', Boolean: 'true' },
  ...{ URL: '"https://example.com/"', DateTime: '"2020-01-01T00:00:00Z"', JSONObject: '{}' },
};

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return `[${literalOf(type.ofType)}]`;
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0]?.name as string;
  if (!isInputObjectType(named)) return VALUES[named.name] ?? NOTHING;
  const fields = Object.values(named.getFields()).filter(
    (field) => isNonNullType(field.type) && field.defaultValue === undefined,
  );
  return `{ ${fields.map((field) => `${field.name}: ${literalOf(field.type)}`).join(', ')} }`;
}

/** Beginnings of ranges that must not be long. */
const RECENTLY = JSON.stringify(new Date(Date.now() - 60_000).toISOString());

/** Every field of every root with the least that it can be asked with, by `Type.field`. Of `Live`, what is not there. */
export function leastOperations(schema: GraphQLSchema): [field: string, operation: string][] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([kind, root]) =>
    Object.values(root?.getFields() ?? {}).map((field): [string, string] => {
      // What is found by its id or by another name is asked for by its id.
      const given = field.args.filter(({ name, type }) => kind === 'subscription' || name === 'id' || isNonNullType(type));
      const values = given.map(({ name, type }) => `${name}: ${name === 'from' ? RECENTLY : literalOf(type)}`).join(', ');
      const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
      return [`${root?.name}.${field.name}`, `${kind} { ${field.name}${values ? `(${values})` : ''}${selection} }`];
    }),
  );
}
