import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/globalSetup.ts'],
    setupFiles: ['reflect-metadata'],
    // Most of a test file's time is waiting: as many as processors would leave them idle.
    maxWorkers: 3,
    // Longer than anything that a test waits for, also on a machine that has much else to do.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // type-graphql is CommonJS-first: inlined, it shares one copy of graphql with the rest.
    server: { deps: { inline: ['type-graphql', 'graphql-scalars', 'graphql-query-complexity'] } },
  },
  resolve: { alias: { graphql: new URL('./node_modules/graphql/index.js', import.meta.url).pathname } },
});
