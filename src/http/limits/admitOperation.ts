import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode, OperationTypeNode, visit } from 'graphql';
import type { AccessDependencies } from '../../access/AccessDependencies.js';
import { countHit } from '../../access/countHit.js';
import { countRequest, type RequestCount, refuseTooMany } from '../../access/countRequest.js';
import { requireCaller, requireScope } from '../../access/requireScope.js';
import type { Caller } from '../../domain/Caller.js';
import { SwitchboardError } from '../../domain/SwitchboardError.js';
import { scopesOf } from '../../graphql/fieldScopes.js';
import { checkVariables } from './checkVariables.js';
import type { DocumentLimits } from './DocumentLimits.js';
import { operationCost } from './operationCost.js';

/** A watch is answered again and again, by whatever changes. */
const WATCH_COST_SHARE = 0.1;

export interface Rules {
  readonly schema: GraphQLSchema;
  readonly limits: DocumentLimits;
  readonly dependencies: AccessDependencies;
}

export interface Operation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Everything that an operation must pass before any field of it runs, over whatever transport: who calls, whether they
 * may, how often they called, and what it would cost, which is
 * returned. `onCount` hears how the organization stands with its limit.
 * Throws UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, BAD_USER_INPUT.
 */
export async function admitOperation(
  { schema, limits, dependencies }: Rules,
  { document, operation, variables }: Operation,
  possibleCaller: Caller | null,
  address: string,
  onCount: (count: RequestCount) => void = () => {},
): Promise<number> {
  if (possibleCaller)
    await countAndCheckScopes(dependencies, scopesOf(schema, document, operation), operation, possibleCaller, onCount);
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

/** What is forbidden counts as read, so that whoever may only read can't use up what others may write. */
async function countAndCheckScopes(
  dependencies: AccessDependencies,
  scopes: ReturnType<typeof scopesOf>,
  { operation }: OperationDefinitionNode,
  caller: Caller,
  onCount: (count: RequestCount) => void,
): Promise<void> {
  const allowed = [...scopes].every((scope) => caller.scopes.has(scope));
  const kind = allowed && operation === OperationTypeNode.MUTATION ? 'write' : 'read';
  const count = await countRequest(dependencies, caller, kind);
  if (count) {
    onCount(count);
    refuseTooMany(count, kind);
  }
  for (const scope of scopes) requireScope(caller, scope);
}

/** Without credentials there is the schema, which is no secret: asked for plainly, and not too often from one address. */
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

/** Without aliases, each list of the schema is in the answer once. */
function isPlain(document: DocumentNode): boolean {
  let aliases = 0;
  visit(document, {
    Field({ alias }) {
      if (alias) aliases += 1;
    },
  });
  return aliases === 0;
}
