import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { onTestFinished } from 'vitest';
import { type GraphiqlOptions, graphiql } from '../../../../src/http/graphiql/graphiql.js';

const schema = buildSchema(`
  "Said by the test."
  type Query { greeting(name: String): String!  authorization: String }
`);

export interface GraphiqlApp {
  readonly app: FastifyInstance;
  /** `http://localhost:port`. */
  readonly origin: string;
}

/** Starts GraphiQL beside a small GraphQL endpoint. It ends with the test. */
export async function graphiqlApp(options: Omit<GraphiqlOptions, 'publicUrl'> & { publicUrl?: string }): Promise<GraphiqlApp> {
  const app = Fastify({ forceCloseConnections: true });
  // The server sets this strict policy by default, so the page must set its own.
  app.addHook('onRequest', async (_request, reply) => void reply.header('content-security-policy', "default-src 'none'"));
  await app.register(async (scope) => graphiql(scope, { publicUrl: 'http://localhost:4000', ...options }));
  app.post<{ Body: { query: string; variables?: Record<string, unknown>; operationName?: string } }>(
    '/graphql',
    ({ body, headers }) =>
      graphql({
        schema,
        source: body.query,
        variableValues: body.variables,
        operationName: body.operationName,
        rootValue: {
          greeting: ({ name }: { name?: string }) => `Hello ${name ?? 'world'}`,
          authorization: headers.authorization ?? null,
        },
      }),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as { port: number };
  return { app, origin: `http://localhost:${port}` };
}
