import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callErrors, type ErrorCode, type JsonApiCode, SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import { type CallError, errorHeaders, toCallError } from '../errors/toCallError.js';

/**
 * Renders errors that occur before or outside a route: as a GraphQL error at `/graphql`, elsewhere in JSON:API's error
 * format (OpenAPI ErrorObject). Call it before routes are added.
 */
export function handleErrors(app: FastifyInstance, log: Logger): void {
  const allowedMethods = findAllowedMethods(app);
  const refuse = (url: string): never => {
    const allow = allowedMethods(url);
    if (allow.length === 0) throw new SwitchboardError('NOT_FOUND', 'There is nothing at this address.');
    throw new SwitchboardError('METHOD_NOT_ALLOWED', `This address takes ${allow.join(', ')}.`, { allow });
  };
  // This runs before the body is read, because a wrong method is reported before a wrong body.
  app.addHook('preParsing', async (request) => {
    if (request.is404) refuse(request.url);
  });
  app.setNotFoundHandler((request) => refuse(request.url));
  app.setErrorHandler(renderError(log));
}

/** Returns the error handler, also for requests that Fastify refuses before it knows the route, such as a malformed URL. */
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

/** Returns the newer of the two media types for clients that accept it (GraphQL over HTTP, section 6). */
function graphqlType({ headers: { accept } }: FastifyRequest): string {
  const asked = accept?.includes('application/graphql-response+json');
  return `application/${asked ? 'graphql-response+json' : 'json'}; charset=utf-8`;
}

/**
 * Records the routes as they are added. Returns a function that lists the methods of a URL's path. The list is empty for an
 * unknown path.
 */
function findAllowedMethods(app: FastifyInstance): (url: string) => string[] {
  const methodsByPattern = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    // The pre-flight route of CORS matches every path.
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

/** Milliseconds after which open connections are cut: their clients do not read, or their requests cannot be answered. */
const LONGEST_ANSWER_MS = 30_000;

/**
 * Responds with 503 and Retry-After on open connections as soon as the server begins to close, and closes them. Running
 * requests finish, and their connections are closed too, because a client that keeps its connection would keep the server
 * running.
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

/** Returns the connections without any request so far. Node does not count them as idle and would wait for them for ever. */
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

/** Our messages for errors that Fastify finds, by our code. Fastify's own messages may repeat what was sent. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  PAYLOAD_TOO_LARGE: 'The body is larger than this address takes.',
  UNSUPPORTED_MEDIA_TYPE: 'The body must be of a type that this address takes: application/json, unless documented otherwise.',
};

/** Our messages by Fastify's code. */
const MESSAGES_OF_FASTIFY: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'The address has a percent sign that encodes nothing.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the address is longer than any id.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as Content-Length says.',
};

/** Converts an error to the response for a caller outside GraphQL, whether we or Fastify found it. */
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

/** Returns whether the parser could not read the body. The parser's own message may contain a part of the body. */
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

/** Returns an error in JSON:API's format. */
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
