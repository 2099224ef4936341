import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callErrors, type ErrorCode, type JsonApiCode, SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import { type CallError, errorHeaders, toCallError } from '../errors/toCallError.js';

/**
 * Renders what goes wrong before a route or outside of it: as a GraphQL error at `/graphql`, elsewhere in JSON:API's error
 * shape (OpenAPI ErrorObject). Call it before routes are added.
 */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  const allowedMethods = findAllowedMethods(app);
  const refuse = (url: string): never => {
    const allow = allowedMethods(url);
    if (allow.length === 0) throw new SwitchboardError('NOT_FOUND', 'There is nothing at this address.');
    throw new SwitchboardError('METHOD_NOT_ALLOWED', `This address takes ${allow.join(', ')}.`, { allow });
  };
  // Before the body is read: whatever is wrong with that, the method comes first.
  app.addHook('preParsing', async (request) => {
    if (request.is404) refuse(request.url);
  });
  app.setNotFoundHandler((request) => refuse(request.url));
  app.setErrorHandler(renderError(log));
}

/** Also for what Fastify refuses before it knows the route, such as a URL that can't be decoded. */
export function renderError(log: Logger) {
  return (failure: FastifyError | SwitchboardError, request: FastifyRequest, reply: FastifyReply): void => {
    const found = toHttpError(failure, log);
    reply.code(found.error.status).headers(errorHeaders(found.error));
    if (isGraphQL(request)) {
      const { error, id } = found;
      const body = { errors: [{ message: error.message, extensions: { code: error.code, ...(id ? { id } : {}) } }] };
      reply.type(graphqlType(request)).send(JSON.stringify(body));
    } else {
      reply.send({ errors: [jsonApiError(found)] });
    }
  };
}

export const isGraphQL = ({ url }: Pick<FastifyRequest, 'url'>): boolean => /^\/graphql\/?(\?|$)/.test(url);

/** The newer of the two media types for those who ask for it (GraphQL over HTTP, section 6). */
function graphqlType({ headers: { accept } }: FastifyRequest): string {
  const asked = accept?.includes('application/graphql-response+json');
  return `application/${asked ? 'graphql-response+json' : 'json'}; charset=utf-8`;
}

/** Watches the routes as they are added, and returns a function that tells which methods the path of a URL has; none: no such path. */
function findAllowedMethods(app: FastifyInstance): (url: string) => string[] {
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // The pre-flight of CORS is everywhere.
    if (url === '*') return;
    const methods = methodsByPattern.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByPattern.set(url, methods);
  });
  return (url) => {
    const path = url.split('?', 1)[0] as string;
    const found = [...methodsByPattern].filter(([pattern]) => matches(pattern, path)).flatMap(([, methods]) => [...methods]);
    return [...new Set(found)].sort();
  };
}

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const parts = path.split('/');
  const anything = expected.at(-1) === '*';
  if (anything ? parts.length < expected.length : parts.length !== expected.length) return false;
  return expected.every((part, index) => part === '*' || (part.startsWith(':') ? parts[index] !== '' : part === parts[index]));
}

const RETRY_AFTER_SECONDS = 5;

/** Milliseconds after which connections that are still open are cut: their clients don't read, or nobody could answer them. */
const LONGEST_ANSWER_MS = 30_000;

/**
 * Answers 503 with Retry-After from the moment that the server begins to close, on connections that are still open, and
 * closes them. What was already being done is finished, and its connection is closed, too: a client that keeps it would
 * keep the server for as long.
 */
export function refuseWhileClosing(app: FastifyInstance): void {
  let closing = false;
  const silent = silentSockets(app.server);
  app.addHook('preClose', (done) => {
    closing = true;
    for (const socket of silent) socket.destroy();
    setTimeout(() => app.server.closeAllConnections(), LONGEST_ANSWER_MS).unref();
    done();
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onRequest', async () => {
    if (!closing) return;
    throw new SwitchboardError('SERVICE_UNAVAILABLE', 'This server is stopping. Try again in a few seconds.', {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  });
}

/** Connections on which nothing was asked yet: Node doesn't count them as idle, and waits for them without end. */
function silentSockets(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  const heard = ({ socket }: IncomingMessage): unknown => silent.delete(socket);
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', heard);
  server.on('upgrade', heard);
  return silent;
}

/** Failures that Fastify finds itself, in our words: its own may repeat what was sent. By our code. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  PAYLOAD_TOO_LARGE: 'The body is larger than this address takes.',
  UNSUPPORTED_MEDIA_TYPE: 'The body must be of a type that this address takes: application/json, unless documented otherwise.',
};

/** The same by Fastify's code. */
const MESSAGES_OF_FASTIFY: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address has a percent sign that encodes nothing.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is longer than any id.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says.',
};

/** What a caller outside GraphQL is told of a failure: ours, or one that Fastify found in the request. */
export function toHttpError(failure: unknown, log: Logger): CallError {
  const status = (failure as { statusCode?: unknown }).statusCode;
  if (failure instanceof SwitchboardError || typeof status !== 'number' || status >= 500) return toCallError(failure, log);
  const known = (Object.keys(callErrors) as ErrorCode[]).find((code) => callErrors[code].status === status);
  const code = known ?? 'BAD_USER_INPUT';
  return { error: new SwitchboardError(code, explain(failure, code)), id: null };
}

function explain(failure: unknown, code: ErrorCode): string {
  if (isUnreadable(failure)) return 'The body is not JSON.';
  const known = MESSAGES[code] ?? MESSAGES_OF_FASTIFY[String((failure as FastifyError).code)];
  return known ?? 'This is no request that this server can read.';
}

/** The parser's own words may hold a piece of the body. */
function isUnreadable(failure: unknown): boolean {
  return failure instanceof SyntaxError || /^FST_ERR_CTP_(INVALID|EMPTY)_JSON_BODY$/.test(String((failure as FastifyError).code));
}

/** OpenAPI ErrorObject. */
export interface JsonApiError {
  readonly id?: string;
  readonly status: string;
  readonly code: JsonApiCode;
  readonly detail: string;
  readonly source?: { readonly pointer?: string; readonly parameter?: string; readonly header?: string };
}

/** A failure of a call in JSON:API's form. */
export function jsonApiError({ error, id }: CallError): JsonApiError {
  const { parameter, header } = error.facts;
  return {
    ...(id ? { id } : {}),
    status: String(error.status),
    code: callErrors[error.code].jsonApi,
    detail: error.message,
    ...(parameter ? { source: { parameter } } : header ? { source: { header } } : {}),
  };
}
