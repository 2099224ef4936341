import { Transform } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/errors.js';

/** Maximum bytes of a body without credentials. It is enough for every introspection. */
const MOST_BYTES_OF_STRANGERS = 64 * 1024;
/** Bytes above which a body is checked while it arrives, so that a malicious one is not even stored. */
const MOST_BYTES_AT_ONCE = 64 * 1024;

/**
 * Checks the structure of JSON bodies for every route, and parses those of most routes as Fastify does. A body without
 * credentials must be small.
 */
export function takeJson(app: FastifyInstance, bodyLimit: number): void {
  app.addHook('preParsing', async ({ headers }, _reply, payload) => {
    const isJson = /^application\/(vnd\.api\+)?json/i.test(headers['content-type'] ?? '');
    if (!isJson || Number(headers['content-length']) <= MOST_BYTES_AT_ONCE) return payload;
    const check = new JsonCheck();
    const looking = new Transform({
      transform(piece, _encoding, done) {
        try {
          check.feed(piece);
          done(null, piece);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    // The consumer may have stopped listening, and an unhandled error would end the process.
    looking.on('error', () => {});
    // A pipe does not pass on an early end, and a pipeline would cut off the response to a refused body.
    payload.once('close', () => {
      if (!looking.writableEnded) looking.destroy(new SwitchboardError('BAD_USER_INPUT', 'The body ended early.'));
    });
    return payload.pipe(looking);
  });
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, (request, body, done) => {
    try {
      const isStranger = request.headers.authorization === undefined && request.url.startsWith('/graphql');
      if (isStranger && body.length > MOST_BYTES_OF_STRANGERS) {
        throw new SwitchboardError('PAYLOAD_TOO_LARGE', 'Without credentials, a body may have 64 KiB at most.');
      }
      if (body.length <= MOST_BYTES_AT_ONCE) checkJson(body as Buffer);
    } catch (error) {
      return done(error as Error);
    }
    return parse(request, body.toString(), done);
  });
}

/** Maximum depth of nested lists and objects. Our inputs need far less, and recursion can handle far more. */
const MOST_DEPTH = 100;
/** Maximum items of one list or object, such as in an event's data. Lists of inputs have lower limits. */
const MOST_ITEMS = 20_000;

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * Checks JSON before it is decoded and parsed: its depth, and the items of each list and object. It reads the bytes once and
 * stops at the first excess, many times faster than parsing. The parser reports malformed JSON. Throws BAD_USER_INPUT.
 */
export function checkJson(json: Buffer): void {
  new JsonCheck().feed(json);
}

/** Checks JSON that arrives in pieces, wherever they are cut. */
export class JsonCheck {
  /** Commas so far in each open list or object. */
  readonly #items: number[] = [];
  #inString = false;
  /** Whether the previous piece ended with a backslash, which escapes the next character. */
  #escapes = false;

  feed(piece: Buffer): void {
    let index = this.#inString ? this.#endOfString(piece, 0) : 0;
    for (; index < piece.length; index += 1) {
      const byte = piece[index];
      if (byte === QUOTE) index = this.#endOfString(piece, index + 1) - 1;
      else if (byte === COMMA) {
        const count = (this.#items.pop() ?? 0) + 1;
        if (count >= MOST_ITEMS) {
          throw new SwitchboardError('BAD_USER_INPUT', `The JSON has a list or object of more than ${MOST_ITEMS} items.`);
        }
        this.#items.push(count);
      } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        if (this.#items.push(0) > MOST_DEPTH) {
          throw new SwitchboardError('BAD_USER_INPUT', `The JSON nests deeper than ${MOST_DEPTH} levels.`);
        }
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#items.pop();
    }
  }

  /**
   * Returns the position after the closing quotation mark, or the end of the piece when the string continues in the next
   * one.
   */
  #endOfString(piece: Buffer, from: number): number {
    const start = this.#escapes ? from + 1 : from;
    for (let end = piece.indexOf(QUOTE, start); end !== -1; end = piece.indexOf(QUOTE, end + 1)) {
      if (backslashesBefore(piece, end, start) % 2 === 0) {
        this.#inString = this.#escapes = false;
        return end + 1;
      }
    }
    this.#inString = true;
    this.#escapes = start <= piece.length && backslashesBefore(piece, piece.length, start) % 2 === 1;
    return piece.length;
  }
}

function backslashesBefore(piece: Buffer, end: number, start: number): number {
  let count = 0;
  while (end - 1 - count >= start && piece[end - 1 - count] === BACKSLASH) count += 1;
  return count;
}
