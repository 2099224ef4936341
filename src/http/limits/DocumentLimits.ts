/** What a GraphQL document may be; anything beyond is refused before a field runs. */
export interface DocumentLimits {
  /** Of nested selections. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Fields, weighted by their depth. */
  readonly maxCost: number;
  /** Names, signs and values. Validation compares fields with each other: its time grows with the square of this. */
  readonly maxTokens: number;
}
