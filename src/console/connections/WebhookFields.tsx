import { useTranslation } from 'react-i18next';
import { settings } from '../access/credential.js';
import { ChoiceField, Field } from '../design/Field.js';
import { errorAt, type UserError } from '../design/Problems.js';
import type { WebhookAuthType, WebhookConfigurationInput } from '../graphql/graphql.js';

/** What a form holds of a webhook. Secrets are empty until somebody enters them. */
export interface WebhookDraft {
  readonly url: string;
  readonly authType: WebhookAuthType;
  readonly token: string;
  readonly username: string;
  readonly password: string;
  readonly headerName: string;
  readonly apiKey: string;
}

export const newWebhook = (url = '', authType: WebhookAuthType = 'NONE'): WebhookDraft => ({
  ...{ url, authType },
  ...{ token: '', username: '', password: '', headerName: '', apiKey: '' },
});

/** Returns the input of a draft. Secrets that were left empty stay as they are. */
export function toWebhookInput(draft: WebhookDraft): WebhookConfigurationInput {
  const { url, authType, token, username, password, headerName, apiKey } = draft;
  const secrets = { NONE: {}, BEARER: { token }, BASIC: { username, password }, API_KEY: { headerName, apiKey } }[authType];
  const given = Object.entries(secrets).filter(([, value]) => value !== '');
  return { url, authType, ...(given.length > 0 ? { authConfig: Object.fromEntries(given) } : {}) };
}

interface WebhookFieldsProps {
  readonly draft: WebhookDraft;
  readonly onChange: (draft: WebhookDraft) => void;
  readonly errors: readonly UserError[];
  /** Of a webhook that exists: its secrets may stay as they are. */
  readonly isKnown?: boolean;
}

export function WebhookFields({ draft, onChange, errors, isKnown }: WebhookFieldsProps) {
  const { t } = useTranslation();
  const field = (name: Exclude<keyof WebhookDraft, 'authType'>, type: 'text' | 'url' | 'password' = 'text') => ({
    label: t(`connections.fields.${name}`),
    value: draft[name],
    onChange: (value: string) => onChange({ ...draft, [name]: value }),
    error: errorAt(errors, name),
    type,
  });
  const hint = isKnown ? t('connections.fields.keep') : undefined;
  return (
    <>
      <Field
        {...field('url', 'url')}
        hint={t(draft.url !== '' && draft.url === settings.inboxUrl ? 'connections.inbox' : 'connections.fields.urlHint')}
        placeholder="https://example.com/webhooks"
        isRequired
      />
      <ChoiceField
        label={t('connections.fields.authType')}
        value={draft.authType}
        choices={(['NONE', 'BEARER', 'BASIC', 'API_KEY'] as const).map((value) => ({
          value,
          text: t(`connections.authTypes.${value}`),
        }))}
        onChange={(authType) => onChange({ ...draft, authType })}
      />
      {draft.authType === 'BEARER' && <Field {...field('token', 'password')} hint={hint} />}
      {draft.authType === 'BASIC' && (
        <>
          <Field {...field('username')} hint={hint} />
          <Field {...field('password', 'password')} hint={hint} />
        </>
      )}
      {draft.authType === 'API_KEY' && (
        <>
          <Field {...field('headerName')} hint={hint} />
          <Field {...field('apiKey', 'password')} hint={hint} />
        </>
      )}
    </>
  );
}

/** The names of the fields above, whose errors are shown beside them. */
export const WEBHOOK_FIELDS = ['url', 'token', 'username', 'password', 'headerName', 'apiKey'];
