import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { Button } from '../design/Button.js';
import { Field } from '../design/Field.js';
import { CallProblem, errorAt, OtherErrors } from '../design/Problems.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import type { ConnectionRow } from './connectionRow.js';
import { newWebhook, toWebhookInput, WEBHOOK_FIELDS, WebhookFields } from './WebhookFields.js';

const UPDATE = graphql(`
  mutation UpdateConnection($input: UpdateConnectionInput!) {
    updateConnection(input: $input) {
      connection { ...ConnectionRow }
      userErrors { code message path }
    }
  }
`);

/** Changes a connection's name and, of a webhook, its URL and authentication. A webhook that was stopped is switched on. */
export function EditConnection({ connection, onClose }: { readonly connection: ConnectionRow; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const { id, configuration } = connection;
  const isWebhook = configuration.__typename === 'WebhookConfiguration';
  const [name, setName] = useState(connection.name ?? '');
  const [webhook, setWebhook] = useState(isWebhook ? newWebhook(configuration.url, configuration.authType) : newWebhook());
  const [{ fetching, data, error }, update] = useMutation(UPDATE);
  const errors = data?.updateConnection.userErrors ?? [];
  const isStopped = connection.statusReasonCode === 'GONE' || connection.statusReasonCode === 'FAILING';

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (fetching) return;
    const input = {
      ...{ id, name },
      ...(isWebhook ? { webhook: toWebhookInput(webhook) } : {}),
      ...(isStopped ? { isEnabled: true } : {}),
    };
    if ((await update({ input })).data?.updateConnection.connection) onClose();
  }

  return (
    <Window title={t('connections.edit')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void send(event)}>
        <Field label={t('connections.fields.name')} value={name} onChange={setName} error={errorAt(errors, 'name')} />
        {isWebhook && <WebhookFields draft={webhook} onChange={setWebhook} errors={errors} isKnown />}
        {error && <CallProblem error={error} />}
        <OtherErrors errors={errors} fields={[...WEBHOOK_FIELDS, 'name']} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={fetching}>
            {t('save')}
          </Button>
        </div>
      </form>
    </Window>
  );
}
