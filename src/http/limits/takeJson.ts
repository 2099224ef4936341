import { Transform } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { SwitchboardError } from '../../domain/errors.js';

/** Enough for any question about the schema. */
const MOST_BYTES_OF_STRANGERS = 64 * 1024;
/** A body that is longer is looked at while it comes, so that an absurd one is not even kept. */
const MOST_BYTES_AT_ONCE = 64 * 1024;

/**
 * Looks at the shape of JSON bodies, of every route, and parses those of most routes as Fastify does; those without
 * credentials may be small only.
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
    // Whoever reads it may have given up before, and hears no more of it.
    looking.on('error', () => {});
    // A pipe hands on no early end, and a pipeline would cut off the answer to a body that is refused.
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

/** Lists and objects within each other. Far more than any input of ours has, far less than what recursion can bear. */
const MOST_DEPTH = 100;
/** Of one list or object. Lists of inputs have lower limits of their own; this is what an event's data may have. */
const MOST_ITEMS = 20_000;

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * Looks at JSON before it is decoded and parsed: how deep it nests, and how much a list or object of it holds. One pass over
 * the bytes, which ends where they get absurd, and is many times cheaper than parsing what nobody sends in earnest. Whether
 * it is JSON at all, the parser says. Throws BAD_USER_INPUT.
 */
export function checkJson(json: Buffer): void {
  new JsonCheck().feed(json);
}

/** The same for JSON that comes in pieces, wherever they are cut. */
export class JsonCheck {
  /** Commas so far of each list or object that is open. */
  readonly #items: number[] = [];
  #inString = false;
  /** Whether the piece before ended with a backslash that stands for the next character. */
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

  /** Just behind the quotation mark that ends the text; the end of the piece when it goes on in the next one. */
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
