const MAX_NAME_LENGTH = 256;
const MAX_VALUE_LENGTH = 4_096;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110, 5.5, without its obsolete bytes and without the tab: what every receiver reads alike. */
const PRINTABLE = /^[\x20-\x7e]*$/;

const FRAMING = 'it says how the request is transmitted';
const SIGNATURE = 'it belongs to the signature';
const EVENT = 'it says which event the delivery is about';
const CONTENT = 'it describes the body, which is always JSON';

/** Names in lower case that only Switchboard may set, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'].map(
    (name) => [name, FRAMING] as const,
  ),
  ['content-type', CONTENT],
  ['content-encoding', CONTENT],
  // With it, answers would be stored compressed, which nobody can read.
  ['accept-encoding', 'answers are stored as they arrive'],
  ['authorization', 'it belongs to the authentication settings'],
  ['user-agent', 'it tells the receiver who is calling'],
]);

const REFUSED_PREFIXES: readonly (readonly [string, string])[] = [
  ['proxy-', FRAMING],
  ['webhook-event-', EVENT],
  ['webhook-', SIGNATURE],
  ['svix-', SIGNATURE],
];

/**
 * Checks a header that a merchant wants to have sent along with every delivery.
 * @returns what is wrong with it, as one sentence, or null.
 */
export function checkExtraHeader(name: string, value: string): string | null {
  if (name === '') return 'The header name must not be empty.';
  if (name.length > MAX_NAME_LENGTH) return `The header name must have at most ${MAX_NAME_LENGTH} characters.`;
  if (!TOKEN.test(name)) return "The header name may contain only letters, digits and !#$%&'*+-.^_`|~.";
  const lower = name.toLowerCase();
  const reason = REFUSED.get(lower) ?? REFUSED_PREFIXES.find(([prefix]) => lower.startsWith(prefix))?.[1];
  if (reason) return `This header can't be set: ${reason}.`;
  if (value.length > MAX_VALUE_LENGTH) return `The value must have at most ${MAX_VALUE_LENGTH} characters.`;
  if (!PRINTABLE.test(value)) return 'The value must be printable ASCII, without line breaks or control characters.';
  return null;
}
