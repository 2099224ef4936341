import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloArmor } from '@escape.tech/graphql-armor';
import { Lexer, Source, TokenKind, type ValidationRule } from 'graphql';
import { SwitchboardError } from '../../domain/errors.js';
import type { BudgetLimits } from '../../graphql/Budget.js';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';

/** Returns the plugins and validation rules that limit documents. Websockets use the rules without Apollo. */
export function limitDocuments({ maxDepth, maxAliases }: DocumentLimits): {
  readonly validationRules: readonly ValidationRule[];
  readonly plugins: readonly ApolloServerPlugin<GraphQLContext>[];
} {
  const { validationRules, plugins } = new ApolloArmor({
    maxDepth: { n: maxDepth },
    maxAliases: { n: maxAliases },
    maxDirectives: { n: 30 },
    // Armor's own token limit parses twice, answers syntax errors with 500, and shows internal errors.
    maxTokens: { enabled: false },
    // Armor reads literals only. operationCost also reads variables.
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  }).protect();
  // The types are those of Apollo's other module format. The plugins are the same.
  return {
    validationRules,
    plugins: plugins as unknown as ApolloServerPlugin<GraphQLContext>[],
  };
}

/** Maximum characters of a name in a document. An alias is repeated in the response for each row. */
const MOST_NAME = 128;
const LONG_WORD = new RegExp(`\\w{${MOST_NAME + 1}}`);

/**
 * Refuses a document with a very long name or number before it is parsed: validation would compare an unknown name with
 * those of the schema, letter by letter. Throws BAD_USER_INPUT. The parser reports a malformed document.
 */
export function checkNames(document: string, maxTokens: number): void {
  if (!LONG_WORD.test(document)) return;
  // A long word may be inside a string, so only the lexer can tell whether it is a name.
  const lexer = new Lexer(new Source(document));
  for (let tokens = 0; tokens < maxTokens; tokens += 1) {
    try {
      lexer.advance();
    } catch {
      return;
    }
    const { kind, start, end } = lexer.token;
    if (kind === TokenKind.EOF) return;
    const isText = kind === TokenKind.STRING || kind === TokenKind.BLOCK_STRING;
    if (!isText && end - start > MOST_NAME) {
      throw new SwitchboardError('BAD_USER_INPUT', `A name or number in the document has more than ${MOST_NAME} characters.`);
    }
  }
}

/** Limits of a GraphQL document. A document beyond them is refused before a field runs. */
export interface DocumentLimits {
  /** Maximum depth of nested selections. */
  readonly maxDepth: number;
  readonly maxAliases: number;
  /** Maximum fields that a response may contain, as operationCost counts them. */
  readonly maxCost: number;
  /** Maximum tokens. Validation compares fields with each other, so its time grows with the square of this. */
  readonly maxTokens: number;
  /** Limits of an operation while it runs. */
  readonly budget: BudgetLimits;
  /** Introspections without credentials, per minute and address. 0: no limit. */
  readonly introspectionsPerMinute: number;
}
