import type { KlaviyoConfiguration, WebhookAuthType, WebhookConfiguration } from '../domain/Connection.js';
import { MOST_PROBLEMS, type ProblemList } from '../domain/errors.js';
import { type ProviderScope, SCOPE_TOKEN } from '../domain/ProviderScope.js';

/** What connections need to know of destinations in order to check a configuration; each answer is a sentence or null. */
export interface ConnectionRules {
  checkWebhookUrl(url: string): string | null;
  checkHeader(name: string, value: string): string | null;
  /** Null when this server has neither a Klaviyo app nor the sandbox. */
  readonly klaviyo: { readonly scopes: readonly ProviderScope[]; readonly defaultScopes: readonly string[] } | null;
}

/** What both transports send; null and absent mean the same: not given. */
export interface WebhookInput {
  readonly url?: URL | string | null;
  readonly authType?: WebhookAuthType | null;
  readonly authConfig?: WebhookAuthInput | null;
  readonly extraHeaders?: readonly { readonly name: string; readonly value: string }[] | null;
}

interface WebhookAuthInput {
  readonly token?: string | null;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly headerName?: string | null;
  readonly apiKey?: string | null;
}

export interface KlaviyoInput {
  readonly scopes?: readonly string[] | null;
}

const MAX_HEADERS = 20;

export interface CheckedWebhook {
  readonly configuration: WebhookConfiguration;
  readonly authConfig: WebhookAuthConfig | null;
}

/**
 * Checks a webhook's configuration, merged over the stored one when there is one. What only the old origin (RFC 6454 4) may
 * see does not go to a new one by itself: secrets and extra headers are asked for again. Problems go to the list.
 */
export function checkWebhook(
  input: WebhookInput,
  stored: CheckedWebhook | null,
  rules: ConnectionRules,
  problems: ProblemList,
): CheckedWebhook {
  const url = checkUrl(input.url ?? stored?.configuration.url, rules, problems);
  const authType = input.authType ?? stored?.configuration.authType ?? 'none';
  const moves = stored !== null && originOf(url) !== originOf(stored.configuration.url);
  const storedAuth = stored?.configuration.authType === authType && !moves ? stored.authConfig : null;
  const authConfig = checkWebhookAuth(authType, input.authConfig, storedAuth, rules, problems);
  const extraHeaders = input.extraHeaders
    ? checkHeaders(input.extraHeaders, rules, problems)
    : (stored?.configuration.extraHeaders ?? []);
  if (moves && !input.extraHeaders && extraHeaders.length > 0) {
    const message = 'The URL moves to another origin: give extraHeaders again, or an empty list of them.';
    problems.add('REQUIRED', message, 'webhook', 'extraHeaders');
  }
  return { configuration: { url, authType, extraHeaders }, authConfig };
}

function originOf(url: string): string | null {
  return URL.parse(url)?.origin ?? null;
}

function checkUrl(url: URL | string | undefined, rules: ConnectionRules, problems: ProblemList): string {
  if (url === undefined || url === '') {
    problems.add('REQUIRED', 'A webhook connection needs a URL.', 'webhook', 'url');
    return '';
  }
  const problem = rules.checkWebhookUrl(String(url));
  if (problem) problems.add('INVALID', problem, 'webhook', 'url');
  return String(url);
}

function checkHeaders(
  headers: readonly { readonly name: string; readonly value: string }[],
  rules: ConnectionRules,
  problems: ProblemList,
): WebhookConfiguration['extraHeaders'] {
  if (headers.length > MAX_HEADERS) {
    problems.add('INVALID', `At most ${MAX_HEADERS} extra headers.`, 'webhook', 'extraHeaders');
    return [];
  }
  const seen = new Set<string>();
  headers.forEach(({ name, value }, index) => {
    const path = ['webhook', 'extraHeaders', String(index)];
    const problem = rules.checkHeader(name, value);
    if (problem) problems.add('INVALID', problem, ...path);
    if (seen.has(name.toLowerCase())) problems.add('INVALID', 'A header of that name is there already.', ...path, 'name');
    seen.add(name.toLowerCase());
  });
  return headers.map(({ name, value }) => ({ name, value }));
}

/** Which secrets each kind of auth takes; all of them are needed. */
const FIELDS = {
  none: [],
  bearer: ['token'],
  basic: ['username', 'password'],
  api_key: ['headerName', 'apiKey'],
} as const satisfies Record<WebhookAuthType, readonly (keyof WebhookAuthInput)[]>;

/** A webhook's auth secrets as they are stored, encrypted. */
type WebhookAuthConfig = Partial<Record<keyof WebhookAuthInput, string>>;

const MAX_SECRET_LENGTH = 4_096;

/**
 * Checks the secrets for a kind of auth, merged over those already stored for the same kind.
 * Returns what to store; null for `none`. Problems go to the list.
 */
function checkWebhookAuth(
  authType: WebhookAuthType,
  input: WebhookAuthInput | null | undefined,
  stored: WebhookAuthConfig | null,
  rules: ConnectionRules,
  problems: ProblemList,
): WebhookAuthConfig | null {
  const path = ['webhook', 'authConfig'];
  const fields: readonly (keyof WebhookAuthInput)[] = FIELDS[authType];
  for (const [name, value] of Object.entries(input ?? {})) {
    if (value !== null && value !== undefined && !fields.includes(name as keyof WebhookAuthInput)) {
      problems.add(
        'INVALID',
        `"${name}" does not belong to ${authType} auth${fields.length ? `, which takes ${fields.join(' and ')}` : ''}.`,
        ...path,
        name,
      );
    }
  }
  const config: WebhookAuthConfig = {};
  for (const name of fields) {
    const value = input?.[name] ?? stored?.[name];
    if (value === undefined || value === null || value === '')
      problems.add('REQUIRED', `${authType} auth needs ${name}.`, ...path, name);
    else if (value.length > MAX_SECRET_LENGTH || /[\r\n\0]/.test(value)) {
      problems.add('INVALID', `${name} must be one line of at most ${MAX_SECRET_LENGTH} characters.`, ...path, name);
    } else config[name] = value;
  }
  if (config.username?.includes(':')) {
    problems.add('INVALID', 'A user name can not contain a colon (RFC 7617 2).', ...path, 'username');
  }
  // Checked as the header it becomes, so that the key can't displace a signature or the framing.
  const problem = config.headerName && rules.checkHeader(config.headerName, config.apiKey ?? '');
  if (problem) problems.add('INVALID', problem, ...path, 'headerName');
  if (config.token && !/^[\x21-\x7e]+$/.test(config.token)) {
    problems.add('INVALID', 'A bearer token has no spaces or special characters (RFC 6750 2.1).', ...path, 'token');
  }
  return fields.length > 0 ? config : null;
}

/** Klaviyo has some fifty. */
const MAX_SCOPES = 100;

/** Something about an input that was accepted, and that somebody may want to look at. */
export interface Warning {
  readonly code: 'UNKNOWN_SCOPE';
  readonly message: string;
  readonly path: readonly string[];
}

/**
 * Checks the form of the scopes (RFC 6749 3.3); those that every authorization needs are added. Problems go to the list.
 * A scope that is not in the catalogue is kept: Klaviyo may have it since, and ignores what it doesn't know.
 */
export function checkKlaviyo(
  input: KlaviyoInput,
  stored: KlaviyoConfiguration | null,
  { klaviyo }: ConnectionRules,
  problems: ProblemList,
): KlaviyoConfiguration {
  if (!klaviyo) {
    const message = 'Klaviyo is not set up on this server: its operator has to set KLAVIYO_CLIENT_ID.';
    problems.add('INVALID', message, stored ? 'klaviyo' : 'type');
    return { scopes: [] };
  }
  if (input.scopes && input.scopes.length > MAX_SCOPES) {
    problems.add('MAX_VALUE', `At most ${MAX_SCOPES} scopes.`, 'klaviyo', 'scopes');
    return { scopes: [] };
  }
  input.scopes?.forEach((scope, index) => {
    if (SCOPE_TOKEN.test(scope)) return;
    const message = 'A scope has 1 to 100 characters, such as events:write, without spaces, quotation marks and backslashes.';
    problems.add('INVALID', message, 'klaviyo', 'scopes', String(index));
  });
  const required = klaviyo.scopes.filter((scope) => scope.required).map(({ name }) => name);
  return { scopes: [...new Set([...required, ...(input.scopes ?? stored?.scopes ?? klaviyo.defaultScopes)])] };
}

/** Tells of scopes that are not in the catalogue, of an input that was accepted; 20 at most. */
export function warnOfScopes(input: KlaviyoInput | null | undefined, { klaviyo }: ConnectionRules): Warning[] {
  const known = new Set(klaviyo?.scopes.map(({ name }) => name));
  const unknown = (input?.scopes ?? []).flatMap((scope, index) => (known.has(scope) ? [] : [index]));
  return unknown.slice(0, MOST_PROBLEMS).map((index) => ({
    code: 'UNKNOWN_SCOPE',
    message:
      'This scope is not among those that klaviyoScopes lists. It will be asked for; see missingScopes for what Klaviyo grants.',
    path: ['klaviyo', 'scopes', String(index)],
  }));
}

const MAX_NAME_LENGTH = 200;

/** A connection's name: trimmed, one line, at most 200 characters; blank means none. */
export function checkName(name: string | null | undefined, problems: ProblemList): string | null {
  const trimmed = name?.trim() ?? '';
  if (trimmed.length > MAX_NAME_LENGTH) problems.add('INVALID', `A name has at most ${MAX_NAME_LENGTH} characters.`, 'name');
  if (/\p{Cc}/u.test(trimmed)) problems.add('INVALID', 'A name has no control characters.', 'name');
  return trimmed === '' ? null : trimmed;
}

/** What a connection may be given at most, over all processes; null and undefined as in the inputs. */
export interface PaceInput {
  readonly maxConcurrency?: number | null;
  readonly maxPerSecond?: number | null;
}

const MOST = { maxConcurrency: 1_000, maxPerSecond: 10_000 } as const;

/** Checks how much a connection may be given. Problems go to the list. */
export function checkPace(input: PaceInput, problems: ProblemList): void {
  for (const name of ['maxConcurrency', 'maxPerSecond'] as const) {
    const value = input[name];
    if (value === null || value === undefined) continue;
    if (value < 1) problems.add('MIN_VALUE', `${name} is at least 1; null takes the limit away.`, name);
    if (value > MOST[name]) problems.add('MAX_VALUE', `${name} is at most ${MOST[name]}.`, name);
  }
}
