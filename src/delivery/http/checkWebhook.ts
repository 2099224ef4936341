import { isIP } from 'node:net';
import { type AddressPolicy, createAddressPolicy } from './guardedConnect.js';

/** Maximum length in characters, before and after normalization (which lengthens international names and paths). */
const MAX_LENGTH = 2_048;

/** URL parsers strip line breaks and tabs silently; what a person didn't see must not decide where events go. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const INVISIBLE = /[\u0000-\u0020\u007f-\u00a0\u2028\u2029\ufeff]/;

/** Names that are only valid inside a network (RFC 6762, RFC 8375, ICANN's reservation of .internal). */
const INTERNAL_NAME = /(^[^.]+|\.internal|\.local|\.localdomain|\.home\.arpa)$/;

type WebhookUrlCheck = { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly problem: string };

/**
 * Checks a webhook's URL at configuration time, without network access. Every delivery checks again which address a public name
 * resolves to, on its socket.
 *
 * @param allowPrivateNetworks CIDRs that may be delivered to although they are not public.
 */
export function checkWebhookUrl(
  text: string,
  { allowPrivateNetworks }: { readonly allowPrivateNetworks: readonly string[] },
): WebhookUrlCheck {
  const problem = writtenProblem(text);
  if (problem) return { ok: false, problem };
  const url = URL.parse(text);
  if (!url) return { ok: false, problem: 'It must be a valid URL, such as https://example.com/webhooks.' };
  const parsedProblem =
    parsedUrlProblem(url) ??
    hostProblem(url.hostname, createAddressPolicy(allowPrivateNetworks), allowPrivateNetworks.length > 0);
  return parsedProblem ? { ok: false, problem: parsedProblem } : { ok: true, url };
}

function writtenProblem(text: string): string | null {
  if (text.length > MAX_LENGTH) return `It must have at most ${MAX_LENGTH} characters.`;
  if (INVISIBLE.test(text)) return 'It must not contain spaces, line breaks or control characters.';
  if (!/^https?:\/\//i.test(text)) return 'It must begin with https:// or http://.';
  if (text.includes('#')) return 'It must not have a fragment (#…): fragments are never sent.';
  return null;
}

function parsedUrlProblem(url: URL): string | null {
  if (url.username !== '' || url.password !== '')
    return 'It must not contain a user name or password; use the authentication settings.';
  if (url.href.length > MAX_LENGTH) return `Its normalized form must have at most ${MAX_LENGTH} characters.`;
  if (url.port === '0') return 'Its port must be between 1 and 65535.';
  return null;
}

/**
 * Checks a host name.
 * @param hostname normalized by WHATWG URL, which turns 127.1, 0x7f000001 and 2130706433 into 127.0.0.1.
 */
function hostProblem(hostname: string, policy: AddressPolicy, privateAllowed: boolean): string | null {
  const name = hostname.replace(/\.$/, '');
  if (name.startsWith('[') || isIP(name) !== 0) {
    return policy.permits(name) ? null : 'Its address is not public, and only public addresses may be delivered to.';
  }
  if (name === 'localhost' || name.endsWith('.localhost')) {
    return policy.permits('127.0.0.1') || policy.permits('::1') ? null : 'It must not point to this machine (localhost).';
  }
  if (!privateAllowed && INTERNAL_NAME.test(name)) return 'Its host must be a full public name, such as hooks.example.com.';
  return null;
}

const MAX_NAME_LENGTH = 256;
const MAX_VALUE_LENGTH = 4_096;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110, 5.5, without its obsolete bytes and without the tab. Every receiver reads these characters the same way. */
const PRINTABLE = /^[\x20-\x7e]*$/;

const FRAMING = 'it says how the request is transmitted';
const SIGNATURE = 'it belongs to the signature';
const EVENT = 'it says which event the delivery is about';
const CONTENT = 'it describes the body, which is always JSON';

/** Names in lower case that only Switchboard may set, each with the reason. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'].map(
    (name) => [name, FRAMING] as const,
  ),
  ['content-type', CONTENT],
  ['content-encoding', CONTENT],
  // With this header, responses would be stored compressed and be unreadable.
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
 * Checks an extra header that a merchant adds to every delivery.
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
