import { requirePlatform, requireScope } from '../access/authenticate.js';
import type { Page, PageArguments } from '../database/paginate.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller, Platform } from '../domain/Caller.js';
import type { SessionPermission } from '../domain/Session.js';
import type { UseCaseDependencies } from '../UseCaseDependencies.js';
import { Budget, type BudgetLimits } from './Budget.js';
import { createLoaders, type Loaders } from './Loaders.js';

export interface BrowserBinding {
  readonly authorizationId: string;
  readonly value: string;
  readonly expiresAt: Date;
}

/** How an operation came, and what its answer can carry. */
export interface Transport {
  /** What one operation may read and answer. */
  readonly budget: BudgetLimits;
  /** Where it comes from. */
  readonly address: string;
  /** Hears what the operation will cost, once that is known. */
  readonly onCost?: (cost: number) => Promise<void> | undefined;
  /** Whether the client has left. */
  readonly isAbandoned: () => boolean;
  /** Sets the cookie that the OAuth callback must bring; null where no answer can carry one. */
  readonly bindBrowser: ((binding: BrowserBinding) => void) | null;
  /** Asks again, while an operation lasts, whether the caller's credentials are still good. Throws UNAUTHENTICATED. */
  readonly checkAgain?: () => Promise<unknown>;
}

/** One operation: who calls, what the resolvers may use, and what the answer shall carry. */
export class GraphQLContext {
  budget: Budget;
  loaders: Loaders;
  readonly bindBrowser: Transport['bindBrowser'];
  readonly checkAgain: () => Promise<unknown>;

  constructor(
    readonly dependencies: UseCaseDependencies,
    /** Null when the request brought no credentials. */
    readonly possibleCaller: Caller | Platform | null,
    readonly transport: Transport,
  ) {
    this.budget = new Budget(transport.budget, transport.isAbandoned);
    this.loaders = createLoaders(dependencies, possibleCaller, this.budget);
    this.bindBrowser = transport.bindBrowser;
    this.checkAgain = transport.checkAgain ?? (async () => {});
  }

  /** Forgets what was read: an operation that lasts must not answer with what it read before, and has a budget for each answer. */
  readAnew(): void {
    this.budget = new Budget(this.transport.budget, this.transport.isAbandoned);
    this.loaders = createLoaders(this.dependencies, this.possibleCaller, this.budget);
  }

  /** A page of a list, at the expense of the operation's budget. */
  page<Row>(read: () => Promise<Page<Row>>): Promise<Page<Row>> {
    return this.budget.read(read, ({ edges }) => edges.length);
  }

  /**
   * A page of a list that belongs to a row, such as a connection's deliveries. What the rows of one list ask for with the same
   * arguments is read together. `list` names the list and its parents' kind.
   */
  pageOf<Key extends number | string, Row>(
    list: string,
    args: PageArguments,
    filter: object,
    key: Key,
    read: (keys: readonly Key[]) => Promise<Page<Row>[]>,
  ): Promise<Page<Row>> {
    return this.loaders.page(`${list} ${JSON.stringify([args, filter])}`, args, key, read);
  }

  /** The platform that calls, for no organization. Throws UNAUTHENTICATED or FORBIDDEN. */
  platform(): Platform {
    return requirePlatform(this.possibleCaller);
  }

  /**
   * The caller, who must hold the scope, or call with a session that has the permission. Throws UNAUTHENTICATED,
   * ORGANIZATION_REQUIRED or FORBIDDEN.
   */
  caller(scope: ApiKeyScope, permission?: SessionPermission): Caller {
    const { possibleCaller: caller } = this;
    if (permission && caller?.session?.permissions.has(permission)) return caller;
    return requireScope(caller, scope);
  }
}
