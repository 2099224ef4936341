import { type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server';
import {
  coerceInputValue,
  type DocumentNode,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  typeFromAST,
  visit,
} from 'graphql';
import { type ComplexityEstimatorArgs, getComplexity } from 'graphql-query-complexity';
import { requireCaller, requirePlatform, requireScope } from '../../access/authenticate.js';
import { type AccessDependencies, countHit, countRequest, type RequestCount, refuseTooMany } from '../../access/limits.js';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../../database/paginate.js';
import { PLATFORM_SCOPE, type Scope } from '../../domain/ApiKey.js';
import type { Caller, Platform } from '../../domain/Caller.js';
import { MOST_PROBLEMS, SwitchboardError } from '../../domain/errors.js';
import type { Logger } from '../../domain/Logger.js';
import { fieldScopes, fieldsOf, platformFieldScopes, scopesOf } from '../../graphql/fieldScopes.js';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';
import { formatError, toGraphQLError } from '../../graphql/graphqlErrors.js';
import { maySession, requireSessionFields } from '../../graphql/sessionFields.js';
import type { DocumentLimits } from './limitDocuments.js';

/** Maximum cost of a watch, as a share of `maxCost`, because it is executed again for every update. */
const WATCH_COST_SHARE = 0.1;

interface Rules {
  readonly schema: GraphQLSchema;
  readonly limits: DocumentLimits;
  readonly dependencies: AccessDependencies;
}

interface Operation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Checks an operation before any field runs, over every transport: the caller, its scopes, its rate limit, and the cost of
 * the operation, which is returned. `onCount` receives the state of the organization's rate limit. Throws UNAUTHENTICATED,
 * ORGANIZATION_REQUIRED, FORBIDDEN, RATE_LIMITED, BAD_USER_INPUT.
 */
export async function admitOperation(
  { schema, limits, dependencies }: Rules,
  { document, operation, variables }: Operation,
  possibleCaller: Caller | Platform | null,
  address: string,
  onCount: (count: RequestCount) => void = () => {},
): Promise<number> {
  if (possibleCaller)
    await countAndCheck({ schema, dependencies }, fieldsOf(schema, document, operation), operation, possibleCaller, onCount);
  else await admitIntrospection(dependencies, limits, document, operation, address);
  checkVariables(schema, operation, variables);
  const cost = Math.round(operationCost(schema, document, operation, variables));
  const most = operation.operation === OperationTypeNode.SUBSCRIPTION ? limits.maxCost * WATCH_COST_SHARE : limits.maxCost;
  if (cost > most) {
    const message = `The answer could hold ${cost} fields, and may hold ${most}: ask for fewer rows, or fewer fields, at once.`;
    throw new SwitchboardError('BAD_USER_INPUT', message);
  }
  return cost;
}

/**
 * Counts and checks an operation. A forbidden one counts as a read, so that a caller who may only read cannot use up the
 * limit for writes.
 */
async function countAndCheck(
  { schema, dependencies }: Pick<Rules, 'schema' | 'dependencies'>,
  fields: ReadonlySet<string>,
  { operation }: OperationDefinitionNode,
  caller: Caller | Platform,
  onCount: (count: RequestCount) => void,
): Promise<void> {
  const { session } = caller;
  const held: ReadonlySet<Scope> = caller.scopes;
  const scopes = session ? [] : [...scopesOf(schema, fields, caller.organizationId === null ? platformFieldScopes : fieldScopes)];
  const allowed = session ? maySession(session, fields) : scopes.every((scope) => held.has(scope));
  const kind = allowed && operation === OperationTypeNode.MUTATION ? 'write' : 'read';
  const count = await countRequest(dependencies, caller, kind);
  if (count) {
    onCount(count);
    refuseTooMany(count, kind);
  }
  if (session) requireSessionFields(session, fields);
  for (const scope of scopes) {
    if (scope === PLATFORM_SCOPE) requirePlatform(caller);
    else requireScope(caller, scope);
  }
}

/**
 * Admits an introspection without credentials. The schema is public, so it only has to be a plain document, and not too many
 * from one address.
 */
async function admitIntrospection(
  dependencies: AccessDependencies,
  { introspectionsPerMinute: most }: DocumentLimits,
  document: DocumentNode,
  { operation, selectionSet }: OperationDefinitionNode,
  address: string,
): Promise<void> {
  const names = selectionSet.selections.map((selection) => (selection.kind === Kind.FIELD ? selection.name.value : ''));
  if (operation !== OperationTypeNode.QUERY || !names.every((name) => name.startsWith('__'))) requireCaller(null);
  const questions = names.filter((name) => name !== '__typename').length;
  if (questions > 1 || !isPlain(document)) {
    const message = 'Without credentials, one plain introspection can be asked for: one "__schema" or "__type", without aliases.';
    throw new SwitchboardError('BAD_USER_INPUT', message);
  }
  if (most === 0 || questions === 0) return;
  const { hits, resetsInSeconds } = await countHit(dependencies, `introspection:${address}`);
  if (hits <= most) return;
  throw new SwitchboardError(
    'RATE_LIMITED',
    `Your address may ask for the schema ${most} times a minute without credentials. Try again in ${resetsInSeconds} s.`,
    { retryAfterSeconds: resetsInSeconds },
  );
}

/** Returns whether a document is plain. Without aliases, each list of the schema is in the response once. */
function isPlain(document: DocumentNode): boolean {
  let aliases = 0;
  visit(document, {
    Field({ alias }) {
      if (alias) aliases += 1;
    },
  });
  return aliases === 0;
}

/** Maximum cached introspection responses for callers without credentials, by document. */
const MOST_KEPT = 20;
/** Maximum characters of a document whose response is cached. Tools send some 2,000. */
const MOST_KEPT_LENGTH = 10_000;

type Answer = Extract<GraphQLResponse['body'], { kind: 'single' }>['singleResult'];

/** Returns the plugin that admits operations before any field runs and keeps each response within its limits. */
export function limitOperations(rules: Rules, log: Logger): ApolloServerPlugin<GraphQLContext> {
  const { dependencies } = rules;
  const kept = new Map<string, Answer>();
  return {
    async requestDidStart() {
      return {
        async didEncounterErrors({ operation, contextValue: { possibleCaller } }) {
          // A document that is refused as a whole never becomes an operation, but it is counted.
          if (!operation && possibleCaller) await countRequest(dependencies, possibleCaller, 'read').catch(() => null);
        },
        async didResolveOperation({ document, operation, request, contextValue, response }) {
          const { possibleCaller, transport } = contextValue;
          if (!operation) return;
          try {
            const variables = request.variables ?? {};
            const cost = await admitOperation(
              rules,
              { document, operation, variables },
              possibleCaller,
              transport.address,
              (count) => {
                for (const [name, value] of Object.entries(rateLimitHeaders(count))) response.http.headers.set(name, value);
              },
            );
            await transport.onCost?.(cost);
          } catch (error) {
            throw toGraphQLError(error, log);
          }
        },
        async responseForOperation({ source, request, contextValue }) {
          const singleResult = contextValue.possibleCaller ? undefined : kept.get(keyOf(source, request.operationName));
          return singleResult ? { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult } } : null;
        },
        async willSendResponse({ source, request, operation, contextValue, response }) {
          if (response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          const { exceeded } = contextValue.budget;
          if (exceeded) {
            const error = toGraphQLError(exceeded, log);
            // A mutation's changes stay, so its response keeps the data that it has.
            if (operation?.operation !== OperationTypeNode.MUTATION) delete singleResult.data;
            singleResult.errors = [formatError(log)(error.toJSON(), error)];
            delete (singleResult.errors[0] as { extensions: Record<string, unknown> }).extensions.http;
            response.http.status = exceeded.status;
          } else if (singleResult.errors && singleResult.errors.length > MOST_PROBLEMS) {
            singleResult.errors = singleResult.errors.slice(0, MOST_PROBLEMS);
          }
          // Callers without credentials can only ask for the schema, which is the same for all of them.
          const isWorthKeeping =
            source !== undefined && source.length <= MOST_KEPT_LENGTH && !operation?.variableDefinitions?.length;
          if (contextValue.possibleCaller || !operation || singleResult.errors || !isWorthKeeping) return;
          const [oldest] = kept.size >= MOST_KEPT ? kept.keys() : [];
          if (oldest !== undefined) kept.delete(oldest);
          kept.set(keyOf(source, request.operationName), singleResult);
        },
      };
    },
  };
}

function keyOf(source: string | undefined, operationName: string | null | undefined): string {
  return `${operationName ?? ''}:${source}`;
}

/** The cost of a `totalCount`, for which rows are counted one by one. */
const TOTAL_COUNT_COST = 20;
/** The cost of an introspection field, which is read from memory without a promise. */
const INTROSPECTION_COST = 0.1;
/** Typical lengths of lists without arguments. Other lists are short. */
const TYPICAL_LENGTHS: Readonly<Record<string, number>> = {
  'Query.eventTypes': 5,
  'Query.klaviyoScopes': 40,
  'Delivery.attempts': 6,
  'DeliveryStatistics.intervals': 180,
  '__Schema.types': 120,
  '__Schema.directives': 6,
  '__Type.fields': 6,
  '__Type.inputFields': 4,
  '__Type.enumValues': 4,
  '__Field.args': 2,
  '__Directive.args': 2,
};

/**
 * Returns the cost of an operation: the number of fields that its response can contain, with each list as long as its
 * arguments allow, and with variables and defaults in place. Throws BAD_USER_INPUT, also for invalid variables.
 */
function operationCost(
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
    // A variable or argument has the wrong type. graphql-js reports that when the operation is executed.
    return 0;
  }
}

const STATISTICS_COST = 200;

function estimate({ type, field, args, childComplexity }: ComplexityEstimatorArgs): number {
  const coordinate = `${type.name}.${field.name}`;
  const each = coordinate.startsWith('__') || field.name.startsWith('__') ? INTROSPECTION_COST : 1;
  if (field.name === 'totalCount') return TOTAL_COUNT_COST;
  // Each published event is returned with the fields that are selected for it.
  if (coordinate === 'Mutation.publishEvents') return each + (args.input?.events?.length ?? 1) * childComplexity;
  // The statistics of a range are computed from its minutes or hours, whichever fields are selected.
  if (coordinate === 'Query.deliveryStatistics') return STATISTICS_COST + childComplexity;
  // A page without rows can still be counted.
  return each + Math.max(1, lengthOf(coordinate, field, args)) * childComplexity;
}

function lengthOf(coordinate: string, field: ComplexityEstimatorArgs['field'], args: ComplexityEstimatorArgs['args']): number {
  const isPage = field.args.some(({ name }) => name === 'first');
  // The list itself refuses arguments that are out of bounds, with its own message.
  if (isPage) return Math.min(Math.max(args.last ?? args.first ?? DEFAULT_PAGE_SIZE, 0), MAX_PAGE_SIZE);
  return isListType(getNullableType(field.type)) ? (TYPICAL_LENGTHS[coordinate] ?? 1) : 1;
}

/** Maximum items of any list in any input. Each use case has a lower limit for its lists and explains it. */
const MOST_ITEMS = 2_000;
/** Maximum characters of a message, because a caller's field name can be of any length. */
const MOST_CHARACTERS = 200;

/** Messages of graphql-js that name fields and types, and repeat no value of the input. */
const NAMING =
  /^(Field "\w+" (of required type "[^"]+" was not provided|is not defined by type)|Expected (non-nullable )?type "[^"]+" (not to be null|to be an object))/;

/**
 * Checks an operation's variables before graphql-js does. For millions of items graphql-js would take seconds and hundreds
 * of megabytes, and its errors would repeat wrong values, which may be secret or huge. The content of a scalar such as
 * JSONObject is not checked here. Throws BAD_USER_INPUT.
 */
function checkVariables(
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
    // A single value stands for a list with that value (GraphQL 3.11).
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

/** Returns the type that the schema expects at a path in a variable. */
function typeAt(type: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  let found = type;
  for (const part of path) {
    const nullable = getNullableType(found);
    if (isListType(nullable)) found = nullable.ofType;
    else if (isInputObjectType(nullable)) found = nullable.getFields()[part]?.type ?? found;
  }
  return found;
}

/**
 * Returns the headers by which clients can slow down (draft-ietf-httpapi-ratelimit-headers-03, the version that clients
 * support).
 */
export function rateLimitHeaders({ limit, remaining, resetsInSeconds }: RequestCount): Record<string, string> {
  return {
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(Math.max(0, remaining)),
    'ratelimit-reset': String(resetsInSeconds),
  };
}
