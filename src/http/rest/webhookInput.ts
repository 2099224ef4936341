import type { WebhookInput } from '../../connections/ConnectionInput.js';
import type { WebhookAuthType } from '../../domain/Connection.js';

/** A webhook's configuration in a body, checked by its schema. */
export interface WebhookBody {
  readonly url?: string;
  readonly auth_type?: WebhookAuthType;
  readonly auth_config?: Partial<Record<'token' | 'username' | 'password' | 'header_name' | 'api_key', string>>;
  readonly extra_headers?: Readonly<Record<string, string>>;
}

/** The same for the use cases. */
export function webhookInput({ url, auth_type, auth_config, extra_headers }: WebhookBody): WebhookInput {
  return {
    url,
    authType: auth_type,
    authConfig: auth_config && {
      token: auth_config.token,
      username: auth_config.username,
      password: auth_config.password,
      headerName: auth_config.header_name,
      apiKey: auth_config.api_key,
    },
    extraHeaders: extra_headers && Object.entries(extra_headers).map(([name, value]) => ({ name, value })),
  };
}
