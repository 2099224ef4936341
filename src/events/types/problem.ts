/**
 * What can be wrong with a place in an event's data. The names are those of the OpenAPI document's `ErrorObject.code`,
 * in capitals, so that GraphQL and REST report the same thing.
 */
export type ProblemCode = 'REQUIRED' | 'INVALID' | 'INVALID_CHOICE' | 'UNKNOWN_FIELD' | 'MIN_VALUE' | 'NOT_A_LIST';

/** One thing that a publisher can mend. */
export type Problem = {
  code: ProblemCode;
  /** One sentence for a person, naming the field and what it wants. */
  message: string;
  /** The way from `data` to the field; array indexes are strings. Empty when `data` itself is wrong. */
  path: string[];
};
