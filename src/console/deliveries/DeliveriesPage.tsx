import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { useAccess } from '../access/Access.js';
import { titleOf } from '../connections/connectionRow.js';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { ChoiceField, Field } from '../design/Field.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { graphql } from '../graphql/gql.js';
import { EVENT_TYPE_NAMES } from '../subscriptions/subscriptionCalls.js';
import { DeliveryFeed } from './DeliveryFeed.js';
import { type Choices, readChoices, SPANS, type Span, STATUSES, toFilter } from './deliveryRow.js';
import { Replay } from './Replay.js';
import { DELIVERIES, useDeliveryFeed } from './useDeliveryFeed.js';

const FILTER_CONNECTIONS = graphql(`
  query FilterConnections { connections(first: 100) { edges { node { ...ConnectionRow } } } }
`);

/** What became of every event, newest first and live, by filters that its address holds. */
export function DeliveriesPage() {
  const { t } = useTranslation();
  const { can, socket } = useAccess();
  const [parameters, setParameters] = useSearchParams();
  const choices = useStable(readChoices(parameters));
  const filter = useMemo(() => toFilter(choices, Date.now()), [choices]);
  const feed = useDeliveryFeed(filter);
  const [isReplaying, setReplaying] = useState(false);
  // Rows that have all left the list are followed by others as long as there are any.
  const isReading = feed.rows.length === 0 && (feed.isLoading || (feed.hasMore && !feed.error));
  const isFiltered = Object.values(choices).some(Boolean);

  function choose(change: Partial<Choices>): void {
    const given = Object.entries({ ...choices, ...change }).filter(([, value]) => value !== '');
    setParameters(Object.fromEntries(given), { replace: true });
  }

  return (
    <Page
      title={t('deliveries.title')}
      lead={
        <span className="row">
          {t('deliveries.lead')}
          <Badge
            tone={socket === 'open' ? 'good' : 'still'}
            icon="dot"
            text={t(socket === 'open' ? 'deliveries.live' : 'deliveries.notLive')}
          />
        </span>
      }
      actions={
        <>
          <OperationButton document={DELIVERIES} variables={{ first: 100, filter }} />
          {/* A replay cannot be narrowed to one event. */}
          {can.manage && !choices.event && (
            <Button icon="retry" onPress={() => setReplaying(true)}>
              {t('replay.button')}
            </Button>
          )}
        </>
      }
    >
      <Filters choices={choices} onChange={choose} />
      {feed.error && <CallProblem error={feed.error} onRetry={feed.reload} />}
      <Card isFlush>
        {isReading && <Skeleton label={t('loading')} rows={6} />}
        {!isReading && !feed.error && feed.rows.length === 0 && (
          <Empty
            icon="deliveries"
            title={t(isFiltered ? 'deliveries.noneSo' : 'deliveries.none')}
            actions={isFiltered && <Button onPress={() => setParameters({}, { replace: true })}>{t('deliveries.clear')}</Button>}
          >
            {t(isFiltered ? 'deliveries.noneSoText' : 'deliveries.noneText')}
          </Empty>
        )}
        {feed.rows.length > 0 && <DeliveryFeed {...feed} />}
      </Card>
      {isReplaying && <Replay choices={choices} onClose={() => setReplaying(false)} />}
    </Page>
  );
}

interface FiltersProps {
  readonly choices: Choices;
  readonly onChange: (change: Partial<Choices>) => void;
}

function Filters({ choices, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const [{ data: list }] = useQuery({ query: FILTER_CONNECTIONS });
  const [{ data: types }] = useQuery({ query: EVENT_TYPE_NAMES });
  const any = { value: '' as const, text: t('any') };
  const connections = list?.connections.edges.map(({ node }) => ({ value: node.id, text: titleOf(node) })) ?? [];
  const isListed = choices.connection === '' || connections.some(({ value }) => value === choices.connection);
  return (
    <search className="filters">
      <ChoiceField
        label={t('deliveries.status')}
        value={choices.status}
        choices={[any, ...STATUSES.map((value) => ({ value, text: t(`deliveries.statuses.${value}`) }))]}
        onChange={(status) => onChange({ status })}
      />
      <ChoiceField
        label={t('connections.fields.connection')}
        value={choices.connection}
        choices={[any, ...connections, ...(isListed ? [] : [{ value: choices.connection, text: `#${choices.connection}` }])]}
        onChange={(connection) => onChange({ connection })}
      />
      <ChoiceField
        label={t('subscriptions.eventType')}
        value={choices.type}
        choices={[any, ...(types?.eventTypes ?? []).map(({ name }) => ({ value: name, text: name }))]}
        onChange={(type) => onChange({ type })}
      />
      <ChoiceField
        label={t('deliveries.span')}
        value={choices.span}
        choices={[any, ...(Object.keys(SPANS) as Span[]).map((value) => ({ value, text: t(`deliveries.spans.${value}`) }))]}
        onChange={(span) => onChange({ span })}
      />
      <EventSearch value={choices.event} onChange={(event) => onChange({ event })} />
    </search>
  );
}

/** Searches once the typing has paused. */
function EventSearch({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  // Another filter may be chosen while the typing pauses.
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => setText(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what was typed counts
  useEffect(() => {
    const timer = setTimeout(() => text.trim() !== value && latest.current(text.trim()), 400);
    return () => clearTimeout(timer);
  }, [text]);
  return <Field label={t('deliveries.search')} type="search" value={text} onChange={setText} isWide />;
}

/** The same object as long as it says the same. */
function useStable<Value>(value: Value): Value {
  const key = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says all that the value does
  return useMemo(() => value, [key]);
}
