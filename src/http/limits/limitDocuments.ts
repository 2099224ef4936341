import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloArmor } from '@escape.tech/graphql-armor';
import { Lexer, Source, TokenKind, type ValidationRule } from 'graphql';
import { SwitchboardError } from '../../domain/errors.js';
import type { BudgetLimits } from '../../graphql/Budget.js';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';

/** The rules that keep documents within their limits; over the websocket they hold without Apollo. */
export function limitDocuments({ maxDepth, maxAliases }: DocumentLimits): {
  readonly validationRules: readonly ValidationRule[];
  readonly plugins: readonly ApolloServerPlugin<GraphQLContext>[];
} {
  const { validationRules, plugins } = new ApolloArmor({
    maxDepth: { n: maxDepth },
    maxAliases: { n: maxAliases },
    maxDirectives: { n: 30 },
    // Armor's own way parses twice, answers syntax errors with 500, and shows what nobody foresaw.
    maxTokens: { enabled: false },
    // Armor reads literals only: operationCost knows the variables.
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  }).protect();
  // Its types come from Apollo's other module format; the plugins are the same.
  return {
    validationRules,
    plugins: plugins as unknown as ApolloServerPlugin<GraphQLContext>[],
  };
}

/** Characters of any name in a document: an alias stands in the answer once for each row, whatever it costs to compute. */
const MOST_NAME = 128;
const LONG_WORD = new RegExp(`\\w{${MOST_NAME + 1}}`);

/**
 * Refuses a document with a name, or a number, that is too long, before it is parsed: validation would compare an unknown
 * name with those of the schema, letter by letter. Throws BAD_USER_INPUT; what is no document at all is left to the parser.
 */
export function checkNames(document: string, maxTokens: number): void {
  if (!LONG_WORD.test(document)) return;
  // It may stand within a text.
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
