import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloArmor } from '@escape.tech/graphql-armor';
import type { ValidationRule } from 'graphql';
import type { GraphQLContext } from '../../graphql/GraphQLContext.js';
import type { DocumentLimits } from './DocumentLimits.js';

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
  return { validationRules, plugins: plugins as unknown as ApolloServerPlugin<GraphQLContext>[] };
}
