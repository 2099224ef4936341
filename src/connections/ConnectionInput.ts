import type { WebhookAuthType } from '../domain/Connection.js';

/** What both transports send; null and absent mean the same: not given. */
export interface WebhookInput {
  readonly url?: URL | string | null;
  readonly authType?: WebhookAuthType | null;
  readonly authConfig?: WebhookAuthInput | null;
  readonly extraHeaders?: readonly { readonly name: string; readonly value: string }[] | null;
}

export interface WebhookAuthInput {
  readonly token?: string | null;
  readonly username?: string | null;
  readonly password?: string | null;
  readonly headerName?: string | null;
  readonly apiKey?: string | null;
}

export interface KlaviyoInput {
  readonly scopes?: readonly string[] | null;
}
