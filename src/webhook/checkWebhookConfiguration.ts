import { checkExtraHeader, checkWebhookUrl } from '../delivery/http/checkWebhook.js';
import type { WebhookAuthType, WebhookConfiguration } from '../delivery/WebhookDestination.js';
import type { ProblemList } from '../domain/errors.js';

/** The input that GraphQL and REST share. Null and absent both mean "not given". */
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

const MAX_HEADERS = 20;

/** A webhook's configuration, with the secrets that are stored encrypted. */
export interface CheckedWebhook {
  readonly configuration: WebhookConfiguration;
  readonly secrets: WebhookSecrets | null;
}

/** CIDRs that webhooks may point to although they are not public. */
type AllowedNetworks = readonly string[];

/**
 * Checks a webhook's configuration, merged over the stored one if there is one. Secrets and extra headers are not passed on to a
 * new origin (RFC 6454 4): they must be given again. Adds problems to the list.
 */
export function checkWebhook(
  input: WebhookInput,
  stored: CheckedWebhook | null,
  allowPrivateNetworks: AllowedNetworks,
  problems: ProblemList,
): CheckedWebhook {
  const url = checkUrl(input.url ?? stored?.configuration.url, allowPrivateNetworks, problems);
  const authType = input.authType ?? stored?.configuration.authType ?? 'none';
  const moves = stored !== null && originOf(url) !== originOf(stored.configuration.url);
  const storedAuth = stored?.configuration.authType === authType && !moves ? stored.secrets : null;
  const secrets = checkWebhookAuth(authType, input.authConfig, storedAuth, problems);
  const extraHeaders = input.extraHeaders
    ? checkHeaders(input.extraHeaders, problems)
    : (stored?.configuration.extraHeaders ?? []);
  if (moves && !input.extraHeaders && extraHeaders.length > 0) {
    const message = 'The URL moves to another origin: give extraHeaders again, or an empty list of them.';
    problems.add('REQUIRED', message, 'webhook', 'extraHeaders');
  }
  return { configuration: { url, authType, extraHeaders }, secrets };
}

function originOf(url: string): string | null {
  return URL.parse(url)?.origin ?? null;
}

function checkUrl(url: URL | string | undefined, allowPrivateNetworks: AllowedNetworks, problems: ProblemList): string {
  if (url === undefined || url === '') {
    problems.add('REQUIRED', 'A webhook connection needs a URL.', 'webhook', 'url');
    return '';
  }
  const checked = checkWebhookUrl(String(url), { allowPrivateNetworks });
  if (!checked.ok) problems.add('INVALID', checked.problem, 'webhook', 'url');
  return String(url);
}

function checkHeaders(
  headers: readonly { readonly name: string; readonly value: string }[],
  problems: ProblemList,
): WebhookConfiguration['extraHeaders'] {
  if (headers.length > MAX_HEADERS) {
    problems.add('INVALID', `At most ${MAX_HEADERS} extra headers.`, 'webhook', 'extraHeaders');
    return [];
  }
  const seen = new Set<string>();
  headers.forEach(({ name, value }, index) => {
    const path = ['webhook', 'extraHeaders', String(index)];
    const problem = checkExtraHeader(name, value);
    if (problem) problems.add('INVALID', problem, ...path);
    if (seen.has(name.toLowerCase())) problems.add('INVALID', 'A header of that name is there already.', ...path, 'name');
    seen.add(name.toLowerCase());
  });
  return headers.map(({ name, value }) => ({ name, value }));
}

/** The secrets of each auth type. All of them are required. */
const FIELDS = {
  none: [],
  bearer: ['token'],
  basic: ['username', 'password'],
  api_key: ['headerName', 'apiKey'],
} as const satisfies Record<WebhookAuthType, readonly (keyof WebhookAuthInput)[]>;

/** A webhook's auth secrets before encryption. */
type WebhookSecrets = Partial<Record<keyof WebhookAuthInput, string>>;

const MAX_SECRET_LENGTH = 4_096;

/**
 * Checks the secrets of an auth type, merged over those stored for the same type. Returns what to store; null for `none`. Adds
 * problems to the list.
 */
function checkWebhookAuth(
  authType: WebhookAuthType,
  input: WebhookAuthInput | null | undefined,
  stored: WebhookSecrets | null,
  problems: ProblemList,
): WebhookSecrets | null {
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
  const config: WebhookSecrets = {};
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
  // Checked as a header, so that the key cannot replace the signature or the framing.
  const problem = config.headerName && checkExtraHeader(config.headerName, config.apiKey ?? '');
  if (problem) problems.add('INVALID', problem, ...path, 'headerName');
  if (config.token && !/^[\x21-\x7e]+$/.test(config.token)) {
    problems.add('INVALID', 'A bearer token has no spaces or special characters (RFC 6750 2.1).', ...path, 'token');
  }
  return fields.length > 0 ? config : null;
}
