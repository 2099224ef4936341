import type { WebhookAuthType } from '../domain/Connection.js';
import type { ProblemList } from '../domain/ProblemList.js';
import type { WebhookAuthInput } from './ConnectionInput.js';
import type { ConnectionRules } from './ConnectionRules.js';

/** Which secrets each kind of auth takes; all of them are needed. */
const FIELDS = {
  none: [],
  bearer: ['token'],
  basic: ['username', 'password'],
  api_key: ['headerName', 'apiKey'],
} as const satisfies Record<WebhookAuthType, readonly (keyof WebhookAuthInput)[]>;

/** A webhook's auth secrets as they are stored, encrypted. */
export type WebhookAuthConfig = Partial<Record<keyof WebhookAuthInput, string>>;

const MAX_LENGTH = 4_096;

/**
 * Checks the secrets for a kind of auth, merged over those already stored for the same kind.
 * Returns what to store; null for `none`. Problems go to the list.
 */
export function checkWebhookAuth(
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
    else if (value.length > MAX_LENGTH || /[\r\n\0]/.test(value)) {
      problems.add('INVALID', `${name} must be one line of at most ${MAX_LENGTH} characters.`, ...path, name);
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
