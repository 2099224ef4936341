import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { GraphQLError, type GraphQLSchema, getNullableType, isListType, Kind } from 'graphql';
import { type ComplexityEstimatorArgs, getComplexity } from 'graphql-query-complexity';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../database/paginate.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** Rows that are counted, one after the other, for each `totalCount`. */
const TOTAL_COUNT_COST = 20;
/** Introspection reads what is in memory, without a promise a field. */
const INTROSPECTION_COST = 0.1;
/** How many entries the lists have that take no arguments; others are short. */
const TYPICAL_LENGTHS: Readonly<Record<string, number>> = {
  'Query.apiKeys': 20,
  'Query.eventTypes': 5,
  'Query.klaviyoScopes': 40,
  'Delivery.attempts': 6,
  '__Schema.types': 120,
  '__Schema.directives': 6,
  '__Type.fields': 6,
  '__Type.inputFields': 4,
  '__Type.enumValues': 4,
  '__Field.args': 2,
  '__Directive.args': 2,
};

/**
 * What an operation costs: how many fields its answer can hold, each list as long as its arguments say, with the values
 * of the variables and the defaults in place. Throws BAD_USER_INPUT, also for variables that are not what they should be.
 */
export function operationCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  try {
    return getComplexity({
      schema,
      query: { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
      variables: { ...variables },
      estimators: [estimate],
    });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (/number of nodes/.test(error.message)) {
      throw new SwitchboardError('BAD_USER_INPUT', 'The operation has too many fields once its fragments are put in place.');
    }
    // A variable or an argument of the wrong type: execution says so in the words of graphql-js.
    return 0;
  }
}

function estimate({ type, field, args, childComplexity }: ComplexityEstimatorArgs): number {
  const coordinate = `${type.name}.${field.name}`;
  const each = coordinate.startsWith('__') || field.name.startsWith('__') ? INTROSPECTION_COST : 1;
  if (field.name === 'totalCount') return TOTAL_COUNT_COST;
  // Each event of the input comes back with what is asked about it.
  if (coordinate === 'Mutation.publishEvents') return each + (args.input?.events?.length ?? 1) * childComplexity;
  return each + lengthOf(coordinate, field, args) * childComplexity;
}

function lengthOf(coordinate: string, field: ComplexityEstimatorArgs['field'], args: ComplexityEstimatorArgs['args']): number {
  const isPage = field.args.some(({ name }) => name === 'first');
  // The list itself refuses what is out of bounds, in words of its own.
  if (isPage) return Math.min(Math.max(args.last ?? args.first ?? DEFAULT_PAGE_SIZE, 0), MAX_PAGE_SIZE);
  return isListType(getNullableType(field.type)) ? (TYPICAL_LENGTHS[coordinate] ?? 1) : 1;
}
