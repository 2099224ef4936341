import {
  coerceInputValue,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isListType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { MOST_PROBLEMS } from '../../domain/ProblemList.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** Of any list in any input. Each list has a limit of its own below that, which its use case tells in words. */
const MOST_ITEMS = 2_000;
/** Characters of a reason: a field's name can be as long as a caller likes. */
const MOST_CHARACTERS = 200;

/** Reasons of graphql-js that name fields and types, and quote nothing that was sent as a value. */
const NAMING =
  /^(Field "\w+" (of required type "[^"]+" was not provided|is not defined by type)|Expected (non-nullable )?type "[^"]+" (not to be null|to be an object))/;

/**
 * Looks at an operation's variables before anything else does: graphql-js would take seconds, and hundreds of megabytes,
 * for millions of items, and would send back what does not fit, which may be a secret, or huge. What a scalar such as
 * JSONObject holds is its own business. Throws BAD_USER_INPUT.
 */
export function checkVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): void {
  for (const { variable, type } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const inputType = typeFromAST(schema, type as never) as GraphQLInputType | undefined;
    if (!inputType || value === undefined) continue;
    limitLists(value, inputType, name);
    const problems: string[] = [];
    coerceInputValue(value, inputType, (path, _value, { message }) => {
      if (problems.length >= MOST_PROBLEMS) return;
      const reason = NAMING.test(message) ? message.slice(0, MOST_CHARACTERS) : `Expected type "${typeAt(inputType, path)}".`;
      const place = path.length > 0 ? ` at "${[name, ...path].join('.').slice(0, MOST_CHARACTERS)}"` : '';
      problems.push(`Variable "$${name}" got an invalid value${place}; ${reason}`);
    });
    if (problems.length > 0) throw new SwitchboardError('BAD_USER_INPUT', problems.join(' '));
  }
}

function limitLists(value: unknown, type: GraphQLInputType, path: string): void {
  if (value === null || typeof value !== 'object') return;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    // One value stands for a list of it (GraphQL 3.11).
    const items = Array.isArray(value) ? value : [value];
    if (items.length > MOST_ITEMS) {
      throw new SwitchboardError('BAD_USER_INPUT', `The list at "${path}" has more than ${MOST_ITEMS} items.`);
    }
    for (const item of items) limitLists(item, nullable.ofType, path);
  } else if (isInputObjectType(nullable)) {
    for (const field of Object.values(nullable.getFields())) {
      limitLists((value as Record<string, unknown>)[field.name], field.type, `${path}.${field.name}`);
    }
  }
}

/** The type that the schema wants at a place in a variable. */
function typeAt(type: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  let found = type;
  for (const part of path) {
    const nullable = getNullableType(found);
    if (isListType(nullable)) found = nullable.ofType;
    else if (isInputObjectType(nullable)) found = nullable.getFields()[part]?.type ?? found;
  }
  return found;
}
