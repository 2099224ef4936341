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

/** An id of no object. An allowed operation reports that it does not exist. */
const NOTHING = '"987654"';

/** A valid value of each scalar. */
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

/**
 * Returns every root field with the smallest valid operation, by `Type.field`. The operations of `Live` name an unknown
 * object.
 */
export function leastOperations(schema: GraphQLSchema): [field: string, operation: string][] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
    ['subscription', schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([kind, root]) =>
    Object.values(root?.getFields() ?? {}).map((field): [string, string] => {
      // A field that finds an object by its id or by another name gets the id.
      const given = field.args.filter(({ name, type }) => kind === 'subscription' || name === 'id' || isNonNullType(type));
      const values = given.map(({ name, type }) => `${name}: ${name === 'from' ? RECENTLY : literalOf(type)}`).join(', ');
      const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
      return [`${root?.name}.${field.name}`, `${kind} { ${field.name}${values ? `(${values})` : ''}${selection} }`];
    }),
  );
}
