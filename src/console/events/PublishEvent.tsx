import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { Button } from '../design/Button.js';
import { prettyJson } from '../design/Code.js';
import { ChoiceField, Field } from '../design/Field.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';

const PUBLISHABLE = graphql(`
  query PublishableTypes { eventTypes { name sample } }
`);

const PUBLISH = graphql(`
  mutation PublishEvent($input: PublishEventInput!) {
    publishEvent(input: $input) {
      event { id eventType createdAt }
      duplicate
      userErrors { code message path }
    }
  }
`);

interface PublishEventProps {
  readonly onClose: () => void;
  readonly onPublished: (id: string) => void;
}

/** Publishes an event, beginning with the sample of its type. Whoever presses twice publishes it once. */
export function PublishEvent({ onClose, onPublished }: PublishEventProps) {
  const { t } = useTranslation();
  const [{ data: types }] = useQuery({ query: PUBLISHABLE });
  const [type, setType] = useState<string | null>(null);
  const [text, setText] = useState<string | null>(null);
  const [email, setEmail] = useState('anna@example.com');
  const [idempotencyKey] = useState(newKey);
  const [isMalformed, setMalformed] = useState(false);
  const [{ fetching, data, error }, publish] = useMutation(PUBLISH);
  const chosen = types?.eventTypes.find(({ name }) => name === type) ?? types?.eventTypes[0];
  const json = text ?? (chosen ? prettyJson(chosen.sample) : '');

  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    const content = parse(json);
    setMalformed(content === null);
    if (fetching || content === null || !chosen) return;
    const recipient = email.trim() ? { email: email.trim() } : null;
    const answer = await publish({ input: { eventType: chosen.name, data: content, recipient, idempotencyKey } });
    const id = answer.data?.publishEvent.event?.id;
    if (id) onPublished(id);
  }

  return (
    <Window title={t('events.publish')} onClose={onClose} isWide>
      <form className="stack" onSubmit={(event) => void send(event)}>
        <ChoiceField
          label={t('subscriptions.eventType')}
          value={chosen?.name ?? ''}
          choices={types?.eventTypes.map(({ name }) => ({ value: name, text: name })) ?? []}
          onChange={(name) => {
            setType(name);
            setText(null);
          }}
        />
        <Field
          label={t('events.data')}
          value={json}
          onChange={setText}
          error={isMalformed ? t('events.malformed') : undefined}
          isLong
        />
        <Field label={t('events.recipient')} hint={t('events.recipientHint')} value={email} onChange={setEmail} />
        {error && <CallProblem error={error} />}
        <OtherErrors errors={data?.publishEvent.userErrors ?? []} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={fetching}>
            {t('events.publishButton')}
          </Button>
        </div>
      </form>
    </Window>
  );
}

/** 128 bits. Unlike `randomUUID`, this works on http as well. */
const newKey = (): string =>
  `console-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;

function parse(json: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
