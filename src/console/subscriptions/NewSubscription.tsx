import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { titleOf } from '../connections/connectionRow.js';
import { Button } from '../design/Button.js';
import { ChoiceField } from '../design/Field.js';
import { CallProblem, errorAt, OtherErrors } from '../design/Problems.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import { CREATE_SUBSCRIPTION, EVENT_TYPE_NAMES } from './subscriptionCalls.js';

const CONNECTION_NAMES = graphql(`
  query ConnectionNames { connections(first: 100) { edges { node { ...ConnectionRow } } } }
`);

interface NewSubscriptionProps {
  /** The only connection that it may be for; without, any. */
  readonly connectionId?: string;
  readonly onClose: () => void;
}

/** Routes events of a type to a connection. */
export function NewSubscription({ connectionId, onClose }: NewSubscriptionProps) {
  const { t } = useTranslation();
  const [{ data: types }] = useQuery({ query: EVENT_TYPE_NAMES });
  const [{ data: list }] = useQuery({ query: CONNECTION_NAMES, pause: connectionId !== undefined });
  const connections = list?.connections.edges.map(({ node }) => node) ?? [];
  const [type, setType] = useState<string | null>(null);
  const [place, setPlace] = useState<string | null>(null);
  const [{ fetching, data, error }, create] = useMutation(CREATE_SUBSCRIPTION);
  const errors = data?.createSubscription.userErrors ?? [];
  const eventType = type ?? types?.eventTypes[0]?.name ?? '';
  const target = connectionId ?? place ?? connections[0]?.id ?? '';

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (fetching) return;
    const created = await create({ input: { connectionId: target, eventType } });
    if (created.data?.createSubscription.subscription) onClose();
  }

  return (
    <Window title={t('subscriptions.add')} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void send(event)}>
        <ChoiceField
          label={t('subscriptions.eventType')}
          value={eventType}
          choices={types?.eventTypes.map(({ name }) => ({ value: name, text: name })) ?? []}
          onChange={setType}
          hint={types?.eventTypes.find(({ name }) => name === eventType)?.description}
          error={errorAt(errors, 'eventType')}
        />
        {connectionId === undefined && (
          <ChoiceField
            label={t('connections.fields.connection')}
            value={target}
            choices={connections.map((connection) => ({ value: connection.id, text: titleOf(connection) }))}
            onChange={setPlace}
            error={errorAt(errors, 'connectionId')}
          />
        )}
        {error && <CallProblem error={error} />}
        <OtherErrors errors={errors} fields={['eventType', 'connectionId']} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={fetching}>
            {t('subscriptions.create')}
          </Button>
        </div>
      </form>
    </Window>
  );
}
