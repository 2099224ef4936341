import type { BudgetLimits } from '../../graphql/Budget.js';

/** What a GraphQL document may be; anything beyond is refused before a field runs. */
export interface DocumentLimits {
  /** Of nested selections. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields that an answer may hold, see operationCost. */
  readonly maxCost: number;
  /** Names, signs and values. Validation compares fields with each other: its time grows with the square of this. */
  readonly maxTokens: number;
  /** What an operation may take while it runs. */
  readonly budget: BudgetLimits;
  /** Questions about the schema without credentials, in a minute from one address; 0: as many as they like. */
  readonly introspectionsPerMinute: number;
}
