import { type FormEvent, useState } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { settings } from '../access/credential.js';
import { Button } from '../design/Button.js';
import { ChoiceField, Field } from '../design/Field.js';
import { Icon } from '../design/Icon.js';
import { CallProblem, errorAt, OtherErrors } from '../design/Problems.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import { CREATE_SUBSCRIPTION, EVENT_TYPE_NAMES } from '../subscriptions/subscriptionCalls.js';
import { newWebhook, toWebhookInput, WEBHOOK_FIELDS, WebhookFields } from './WebhookFields.js';

const CREATE = graphql(`
  mutation CreateConnection($input: CreateConnectionInput!) {
    createConnection(input: $input) {
      connection { ...ConnectionRow }
      userErrors { code message path }
    }
  }
`);

interface NewConnectionProps {
  readonly onClose: () => void;
  readonly onCreated: (id: string) => void;
}

/** Creates a webhook or a Klaviyo connection, with its first subscription. */
export function NewConnection({ onClose, onCreated }: NewConnectionProps) {
  const { t } = useTranslation();
  const [type, setType] = useState<'WEBHOOK' | 'KLAVIYO'>('WEBHOOK');
  const [name, setName] = useState('');
  const [webhook, setWebhook] = useState(newWebhook(settings.inboxUrl ?? ''));
  const [{ data: types }] = useQuery({ query: EVENT_TYPE_NAMES });
  const names = types?.eventTypes.map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const eventType = chosen ?? names[0] ?? '';
  const [{ data, error }, create] = useMutation(CREATE);
  const [subscription, subscribe] = useMutation(CREATE_SUBSCRIPTION);
  /** The connection, once there is one: another press then goes on where the last one failed. */
  const [id, setId] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const errors = data?.createConnection.userErrors ?? [];

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const created = await createBoth();
    setBusy(false);
    if (created) onCreated(created);
  }

  /** Returns the id of the connection; null when it or its subscription could not be created. */
  async function createBoth(): Promise<string | null> {
    const input = { type, name: name.trim() || null, ...(type === 'WEBHOOK' ? { webhook: toWebhookInput(webhook) } : {}) };
    const connectionId = id ?? (await create({ input })).data?.createConnection.connection?.id ?? null;
    setId(connectionId);
    if (connectionId === null || !eventType) return connectionId;
    const answer = await subscribe({ input: { connectionId, eventType } });
    return answer.data?.createSubscription.subscription ? connectionId : null;
  }

  return (
    <Window title={t('connections.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void send(event)}>
        {id === null && (
          <>
            <RadioGroup className="field" value={type} onChange={(value) => setType(value as typeof type)}>
              <Label>{t('connections.fields.type')}</Label>
              <div className="kinds">
                {(['WEBHOOK', 'KLAVIYO'] as const).map((one) => (
                  <Radio key={one} value={one} className="kind">
                    <strong>
                      <Icon name={one === 'WEBHOOK' ? 'webhook' : 'mail'} />
                      {t(`connections.types.${one}`)}
                    </strong>
                    <span className="small quiet">{t(`connections.typeHints.${one}`)}</span>
                  </Radio>
                ))}
              </div>
            </RadioGroup>
            {type === 'WEBHOOK' && <WebhookFields draft={webhook} onChange={setWebhook} errors={errors} />}
            <Field
              label={t('connections.fields.name')}
              hint={t('connections.fields.nameHint')}
              value={name}
              onChange={setName}
              error={errorAt(errors, 'name')}
            />
          </>
        )}
        <ChoiceField
          label={t('connections.fields.firstEventType')}
          value={eventType}
          choices={[...names.map((value) => ({ value, text: value })), { value: '', text: t('connections.fields.noEventType') }]}
          onChange={setChosen}
        />
        {error && <CallProblem error={error} />}
        <OtherErrors errors={errors} fields={[...WEBHOOK_FIELDS, 'name']} />
        {subscription.error && <CallProblem error={subscription.error} />}
        <OtherErrors errors={subscription.data?.createSubscription.userErrors ?? []} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={isBusy}>
            {t('connections.create')}
          </Button>
        </div>
      </form>
    </Window>
  );
}
