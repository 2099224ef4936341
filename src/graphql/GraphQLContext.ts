import { requireCaller, requireScope } from '../access/requireScope.js';
import type { ApiKeyScope } from '../domain/ApiKey.js';
import type { Caller } from '../domain/Caller.js';
import type { GraphQLDependencies } from './GraphQLDependencies.js';
import { createLoaders, type Loaders } from './Loaders.js';

export interface BrowserBinding {
  readonly authorizationId: string;
  readonly value: string;
  readonly expiresAt: Date;
}

/** One operation: who calls, what the resolvers may use, and what the answer shall carry. */
export class GraphQLContext {
  loaders: Loaders;

  constructor(
    readonly dependencies: GraphQLDependencies,
    /** Null when the request brought no credentials. */
    readonly possibleCaller: Caller | null,
    /** Sets the cookie that the OAuth callback must bring; null where no answer can carry one. */
    readonly bindBrowser: ((binding: BrowserBinding) => void) | null,
    /** Asks again, while an operation lasts, whether the caller's credentials are still good. Throws UNAUTHENTICATED. */
    readonly checkAgain: () => Promise<unknown> = async () => {},
  ) {
    this.loaders = createLoaders(dependencies.database);
  }

  /** Forgets what was read: an operation that lasts must not answer with what it read before. */
  readAnew(): void {
    this.loaders = createLoaders(this.dependencies.database);
  }

  /** Throws UNAUTHENTICATED when the request brought no credentials. */
  assertCaller(): Caller {
    return requireCaller(this.possibleCaller);
  }

  /** The caller, who must hold the scope. Throws UNAUTHENTICATED or FORBIDDEN. */
  caller(scope: ApiKeyScope): Caller {
    return requireScope(this.possibleCaller, scope);
  }
}
