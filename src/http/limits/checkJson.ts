import { SwitchboardError } from '../../domain/SwitchboardError.js';

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
  const items: number[] = [];
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (byte === QUOTE) index = endOfString(json, index);
    else if (byte === COMMA) {
      const count = (items.pop() ?? 0) + 1;
      if (count >= MOST_ITEMS) {
        throw new SwitchboardError('BAD_USER_INPUT', `The JSON has a list or object of more than ${MOST_ITEMS} items.`);
      }
      items.push(count);
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (items.push(0) > MOST_DEPTH) {
        throw new SwitchboardError('BAD_USER_INPUT', `The JSON nests deeper than ${MOST_DEPTH} levels.`);
      }
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) items.pop();
  }
}

/** Where the text that begins at a quotation mark ends; the end of it all if it does not. */
function endOfString(json: Buffer, start: number): number {
  let end = json.indexOf(QUOTE, start + 1);
  while (end !== -1) {
    let escapes = 0;
    while (json[end - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
    end = json.indexOf(QUOTE, end + 1);
  }
  return json.length;
}
