import { MAX_PAGE_SIZE, type Page, type PageArguments } from '../../database/paginate.js';
import type { Authorization } from '../../domain/Authorization.js';
import type { Connection } from '../../domain/Connection.js';
import type { Subscription } from '../../domain/Subscription.js';
import { findLatestAuthorizations } from '../../oauth/authorizations.js';
import { explainOutcome } from '../../oauth/explainOutcome.js';
import type { UseCaseDependencies } from '../../UseCaseDependencies.js';
import type { RestConnectionType } from './RestPart.js';

/**
 * Returns connections in the OpenAPI's form, those that are linked by OAuth with the outcome of their latest authorization.
 */
export async function presentConnections(
  { database, providers }: Pick<UseCaseDependencies, 'database' | 'providers'>,
  types: ReadonlyMap<string, RestConnectionType>,
  connections: readonly Connection[],
): Promise<object[]> {
  const linked = connections.filter(({ type }) => types.get(type)?.needsAuthorization).map(({ id }) => id);
  const latest = new Map<number, Authorization>();
  for (let start = 0; start < linked.length; start += AT_ONCE) {
    const found = await findLatestAuthorizations({ database }, linked.slice(start, start + AT_ONCE));
    for (const authorization of found) latest.set(authorization.connectionId as number, authorization);
  }
  return connections.map(({ id, type, configuration, createdAt, updatedAt }) => ({
    id,
    type,
    configuration: types.get(type)?.rest.present(configuration) ?? {},
    ...(types.get(type)?.needsAuthorization
      ? { authorization: presentAuthorization(latest.get(id), providers.get(type)?.name ?? type) }
      : {}),
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  }));
}

/** Ids in one statement. */
const AT_ONCE = 1_000;

function presentAuthorization(authorization: Authorization | undefined, providerName: string): object | null {
  if (!authorization) return null;
  const { status, errorCode, createdAt, completedAt } = authorization;
  return {
    status,
    error_code: errorCode ?? null,
    error_description: explainOutcome(authorization, providerName),
    created_at: createdAt.toISOString(),
    completed_at: completedAt?.toISOString() ?? null,
  };
}

/** Returns a subscription in the OpenAPI's form. */
export function presentSubscription({ id, connectionId, eventType, isActive, createdAt, updatedAt }: Subscription): object {
  return {
    id,
    connection_id: connectionId,
    event_type: eventType,
    is_active: isActive,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

/** Maximum rows of a list. REST has no pages, so this limits a response to a few megabytes. GraphQL has pages. */
export const MAX_ROWS = 10_000;

/** Returns the newest 10,000 rows of a list, read page by page through its use case. */
export async function listAll<T>(list: (args: PageArguments) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await list({ first: MAX_PAGE_SIZE, after });
    rows.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null && rows.length < MAX_ROWS);
  return rows;
}
