import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { titleOf } from '../connections/connectionRow.js';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { ChoiceField } from '../design/Field.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import type { DeliveryStatus } from '../graphql/graphql.js';
import { type Choices, SPANS, type Span } from './deliveryRow.js';

const CONNECTIONS = graphql(`
  query ReplayConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }
`);

const REPLAY = graphql(`
  mutation ReplayDeliveries($input: ReplayDeliveriesInput!) {
    replayDeliveries(input: $input) {
      replay { id status count finishedAt }
      userErrors { code message path }
    }
  }
`);

const PROGRESS = graphql(`
  query ReplayProgress($id: ID!) { replay(id: $id) { id status count finishedAt } }
`);

const STOP = graphql(`
  mutation StopReplay($id: ID!) {
    stopReplay(input: { id: $id }) { replay { id status count finishedAt } userErrors { code message path } }
  }
`);

const REPLAYABLE = ['FAILED', 'EXPIRED', 'RETRYING', 'CANCELLED', 'DELIVERED'] as const satisfies readonly DeliveryStatus[];
type Replayable = (typeof REPLAYABLE)[number];

/** Tries the deliveries of a filter again, and shows how far that is. */
export function Replay({ choices, onClose }: { readonly choices: Choices; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const [{ data: list }] = useQuery({ query: CONNECTIONS });
  const connections = list?.connections.edges.map(({ node }) => ({ value: node.id, text: titleOf(node) })) ?? [];
  const isListed = choices.connection === '' || connections.some(({ value }) => value === choices.connection);
  // Nothing is sent again to a connection that nobody chose.
  const [connectionId, setConnectionId] = useState(choices.connection);
  const [status, setStatus] = useState<Replayable>(REPLAYABLE.find((one) => one === choices.status) ?? 'FAILED');
  const [span, setSpan] = useState<Span>(choices.span || '24h');
  const [{ fetching, data, error }, start] = useMutation(REPLAY);
  const replay = data?.replayDeliveries.replay;

  function send(event: FormEvent): void {
    event.preventDefault();
    if (fetching || !connectionId) return;
    const since = new Date(Date.now() - SPANS[span] * 60_000).toISOString();
    const eventType = choices.type || null;
    void start({ input: { connectionId, statuses: [status], since, eventType } });
  }

  if (replay) {
    return (
      <Window title={t('replay.title')} onClose={onClose}>
        <Progress id={replay.id} />
        <div className="end">
          <Button kind="main" onPress={onClose}>
            {t('close')}
          </Button>
        </div>
      </Window>
    );
  }
  return (
    <Window title={t('replay.title')} onClose={onClose}>
      <form className="stack" onSubmit={send}>
        <p className="quiet">{t('replay.text')}</p>
        <ChoiceField
          label={t('connections.fields.connection')}
          value={connectionId}
          choices={[...connections, ...(isListed ? [] : [{ value: choices.connection, text: `#${choices.connection}` }])]}
          onChange={setConnectionId}
        />
        <ChoiceField
          label={t('deliveries.status')}
          value={status}
          choices={REPLAYABLE.map((value) => ({ value, text: t(`deliveries.statuses.${value}`) }))}
          onChange={setStatus}
        />
        <ChoiceField
          label={t('deliveries.span')}
          value={span}
          choices={(Object.keys(SPANS) as Span[]).map((value) => ({ value, text: t(`deliveries.spans.${value}`) }))}
          onChange={setSpan}
        />
        {choices.type && <p className="small quiet">{t('replay.onlyType', { eventType: choices.type })}</p>}
        {error && <CallProblem error={error} />}
        <OtherErrors errors={data?.replayDeliveries.userErrors ?? []} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={fetching} isDisabled={!connectionId}>
            {t('replay.start')}
          </Button>
        </div>
      </form>
    </Window>
  );
}

/** Asks each second how far a replay is, until it is over. */
function Progress({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const [{ data, error }, read] = useQuery({ query: PROGRESS, variables: { id } });
  const replay = data?.replay;
  const isRunning = replay?.status === 'RUNNING';
  const [stopping, stop] = useMutation(STOP);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => read({ requestPolicy: 'network-only' }), 1_000);
    return () => clearInterval(timer);
  }, [isRunning, read]);
  return (
    <div className="stack" role="status">
      {isRunning && (
        <div className="progress">
          <div />
        </div>
      )}
      {replay && (
        <p className="row">
          <Badge
            tone={isRunning ? 'wait' : replay.status === 'COMPLETED' ? 'good' : 'still'}
            text={t(`replay.statuses.${replay.status}`)}
          />
          {t('replay.count', { count: replay.count })}
          {isRunning && (
            <Button icon="cross" isBusy={stopping.fetching} onPress={() => void stop({ id })}>
              {t('replay.stop')}
            </Button>
          )}
        </p>
      )}
      {error && <CallProblem error={error} />}
      {stopping.error && <CallProblem error={stopping.error} />}
    </div>
  );
}
