import type { WebhookAuthType } from '../../domain/Connection.js';

/** A webhook's auth secrets, as they are stored (encrypted). Which of them are there depends on the kind of auth. */
export interface WebhookAuth {
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly headerName?: string;
  readonly apiKey?: string;
}

/** The header that authenticates us, its name in lower case: bearer (RFC 6750, 2.1), basic (RFC 7617, UTF-8) or an API key. */
export function authHeaders(authType: WebhookAuthType, auth: WebhookAuth): Record<string, string> {
  switch (authType) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${auth.token ?? ''}` };
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${auth.username ?? ''}:${auth.password ?? ''}`).toString('base64')}` };
    case 'api_key':
      return auth.headerName ? { [auth.headerName.toLowerCase()]: auth.apiKey ?? '' } : {};
  }
}
