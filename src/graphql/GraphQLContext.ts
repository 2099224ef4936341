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

/** What the transport of an operation knows and provides. */
export interface Transport {
  /** Limits of what an operation may read and answer. */
  readonly budget: BudgetLimits;
  /** IP address of the caller. */
  readonly address: string;
  /** Called with the cost of the operation, once it is known. */
  readonly onCost?: (cost: number) => Promise<void> | undefined;
  /** Returns whether the client has disconnected. */
  readonly isAbandoned: () => boolean;
  /** Sets the cookie that the OAuth callback requires; null for a transport without cookies. */
  readonly bindBrowser: ((binding: BrowserBinding) => void) | null;
  /** Checks during a long operation whether the caller's credentials are still valid. Throws UNAUTHENTICATED. */
  readonly checkAgain?: () => Promise<unknown>;
}

/** The context of one operation: its caller, its budget, and what resolvers use. */
export class GraphQLContext {
  budget: Budget;
  loaders: Loaders;
  readonly bindBrowser: Transport['bindBrowser'];
  readonly checkAgain: () => Promise<unknown>;

  constructor(
    readonly dependencies: UseCaseDependencies,
    /** Null for a request without credentials. */
    readonly possibleCaller: Caller | Platform | null,
    readonly transport: Transport,
  ) {
    this.budget = new Budget(transport.budget, transport.isAbandoned);
    this.loaders = createLoaders(dependencies, possibleCaller, this.budget);
    this.bindBrowser = transport.bindBrowser;
    this.checkAgain = transport.checkAgain ?? (async () => {});
  }

  /** Clears the loaders and the budget, so that each result of a live subscription reads current rows and has its own budget. */
  readAnew(): void {
    this.budget = new Budget(this.transport.budget, this.transport.isAbandoned);
    this.loaders = createLoaders(this.dependencies, this.possibleCaller, this.budget);
  }

  /** Reads a page of a list, and counts it in the budget of the operation. */
  page<Row>(read: () => Promise<Page<Row>>): Promise<Page<Row>> {
    return this.budget.read(read, ({ edges }) => edges.length);
  }

  /**
   * Returns a page of a list that belongs to a row, such as a connection's deliveries. The pages of all rows of a list with the
   * same arguments are read together. `list` names the list and the type of its parents.
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

  /** Returns the calling platform, which acts for no organization. Throws UNAUTHENTICATED or FORBIDDEN. */
  platform(): Platform {
    return requirePlatform(this.possibleCaller);
  }

  /**
   * Returns the caller, which must have the scope, or a session with the permission. Throws UNAUTHENTICATED,
   * ORGANIZATION_REQUIRED or FORBIDDEN.
   */
  caller(scope: ApiKeyScope, permission?: SessionPermission): Caller {
    const { possibleCaller: caller } = this;
    if (permission && caller?.session?.permissions.has(permission)) return caller;
    return requireScope(caller, scope);
  }
}
