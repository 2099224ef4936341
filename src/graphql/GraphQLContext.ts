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

/** One request: who calls, what the resolvers may use, and what the answer shall carry. */
export class GraphQLContext {
  readonly loaders: Loaders;

  constructor(
    readonly dependencies: GraphQLDependencies,
    /** Null when the request brought no credentials. */
    readonly possibleCaller: Caller | null,
    /** Sets the cookie that the OAuth callback must bring. */
    readonly bindBrowser: (binding: BrowserBinding) => void,
  ) {
    this.loaders = createLoaders(dependencies.database);
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
