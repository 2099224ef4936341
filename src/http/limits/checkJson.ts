import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** Lists and objects within each other. Far more than any input of ours has, far less than what recursion can bear. */
const MOST_DEPTH = 100;
/** Bytes for each value, on average, that a text at its size limit must at least have. */
const BYTES_A_VALUE = 16;

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * Looks at JSON text before it is parsed: how deep it nests, and how many values it holds. One pass over the text, which
 * is many times cheaper than parsing what nobody sends in earnest. `limitBytes` is how long the text may be. Whether it is
 * JSON at all, the parser says. Throws BAD_USER_INPUT.
 */
export function checkJson(text: string, limitBytes: number): void {
  const mostValues = Math.max(10_000, Math.floor(limitBytes / BYTES_A_VALUE));
  let depth = 0;
  let values = 1;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) index = endOfString(text, index);
    else if (character === COMMA) values += 1;
    else if (character === OPEN_LIST || character === OPEN_OBJECT) depth += 1;
    else if (character === CLOSE_LIST || character === CLOSE_OBJECT) depth -= 1;
    if (depth > MOST_DEPTH) throw new SwitchboardError('BAD_USER_INPUT', `The JSON nests deeper than ${MOST_DEPTH} levels.`);
    if (values > mostValues) throw new SwitchboardError('BAD_USER_INPUT', `The JSON holds more than ${mostValues} values.`);
  }
}

/** Where the text that begins at a quotation mark ends; the end of it all if it does not. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
