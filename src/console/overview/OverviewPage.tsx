import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useAccess } from '../access/Access.js';
import { useFresh } from '../api/useFresh.js';
import { ConnectionBadge, RepairButton } from '../connections/ConnectionStatus.js';
import { type ConnectionRow, lookOf, titleOf } from '../connections/connectionRow.js';
import { NewConnection } from '../connections/NewConnection.js';
import { DeliveryTable } from '../deliveries/DeliveryTable.js';
import { useDeliveryFeed } from '../deliveries/useDeliveryFeed.js';
import { Button } from '../design/Button.js';
import { Icon } from '../design/Icon.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { graphql } from '../graphql/gql.js';
import { Statistics } from './Statistics.js';

const OVERVIEW = graphql(`
  query Overview {
    connections(first: 1) { edges { node { ...ConnectionRow } } }
    attention: connections(first: 50, filter: { needsAttention: true }) { edges { node { ...ConnectionRow } } }
    subscriptions(first: 1) { edges { node { id } } }
  }
`);

const EVERYTHING = {};
/** Deliveries that are shown. */
const LATEST = 6;

/** The first screen: how things are, what needs attention, and, at first, the way to a delivered event. */
export function OverviewPage() {
  const { t } = useTranslation();
  const [{ data, error }, read] = useFresh(useQuery({ query: OVERVIEW, requestPolicy: 'cache-and-network' }));
  const connections = data?.connections.edges.map(({ node }) => node) ?? [];
  const feed = useDeliveryFeed(EVERYTHING, LATEST);
  const deliveries = feed.rows;
  // One that was repaired meanwhile stays in the cached list until that is read anew.
  const troubled = (data?.attention.edges ?? [])
    .map(({ node }) => node)
    .filter((connection) => !['active', 'off'].includes(lookOf(connection).text));
  const isNew = data !== undefined && !feed.isLoading && !feed.error && deliveries.length === 0;
  return (
    <Page title={t('overview.title')} lead={t('overview.lead')} actions={<OperationButton document={OVERVIEW} />}>
      <div className="stack">
        {error && <CallProblem error={error} onRetry={read} />}
        {!data && !error && <Skeleton label={t('loading')} />}
        {isNew && <FirstSteps connections={connections} isSubscribed={data.subscriptions.edges.length > 0} />}
        {troubled.length > 0 && <Attention connections={troubled} />}
        {data && !feed.isLoading && !isNew && <Statistics />}
        {feed.error && <CallProblem error={feed.error} onRetry={feed.reload} />}
        {deliveries.length > 0 && (
          <Card title={t('overview.latest')} actions={<Link href="/deliveries">{t('overview.all')}</Link>} isFlush>
            <DeliveryTable rows={deliveries} showsConnection />
          </Card>
        )}
      </div>
    </Page>
  );
}

/** What is wrong, whose turn it is, and the button that repairs it. */
function Attention({ connections }: { readonly connections: readonly ConnectionRow[] }) {
  const { t } = useTranslation();
  return (
    <Card title={t('overview.attention')} isFlush>
      <table className="table">
        <thead className="unseen">
          <tr>
            <th scope="col">{t('connections.fields.connection')}</th>
            <th scope="col">{t('connections.fields.status')}</th>
            <th scope="col">{t('actions')}</th>
          </tr>
        </thead>
        <tbody>
          {connections.map((connection) => {
            const code = connection.statusReasonCode ?? connection.problemCode;
            return (
              <tr key={connection.id}>
                <td>
                  <Link className="name" href={`/connections/${connection.id}`}>
                    {titleOf(connection)}
                  </Link>
                  {code && (
                    <p className="small quiet">
                      {t(`connections.reasons.${code}.what`)} {t(`connections.reasons.${code}.who`)}
                    </p>
                  )}
                </td>
                <td>
                  <ConnectionBadge connection={connection} />
                </td>
                <td className="end">
                  <RepairButton connection={connection} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

interface FirstStepsProps {
  readonly connections: readonly ConnectionRow[];
  readonly isSubscribed: boolean;
}

/** The way from nothing to a delivered event: each step with the button that does it. */
function FirstSteps({ connections, isSubscribed }: FirstStepsProps) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [, navigate] = useLocation();
  const [isAdding, setAdding] = useState(false);
  const first = connections[0];
  const steps = [
    { name: 'connect', isDone: first !== undefined, act: () => setAdding(true), isOpen: can.createConnections },
    {
      name: 'subscribe',
      isDone: isSubscribed,
      act: () => navigate(first ? `/connections/${first.id}` : '/subscriptions'),
      isOpen: can.manage && first !== undefined,
    },
    { name: 'publish', isDone: false, act: () => navigate('/events'), isOpen: can.publish && isSubscribed },
  ] as const;
  const next = steps.find(({ isDone }) => !isDone);
  return (
    <Card title={t('overview.steps.title')}>
      <p className="quiet">{t('overview.steps.text')}</p>
      <ol className="steps">
        {steps.map(({ name, isDone, act, isOpen }, index) => (
          <li key={name}>
            <span className={isDone ? 'mark done' : 'mark'}>{isDone ? <Icon name="check" /> : index + 1}</span>
            <div className="grow">
              <strong>
                {t(`overview.steps.${name}.title`)}
                {isDone && <span className="unseen"> ({t('overview.steps.done')})</span>}
              </strong>
              <p className="small quiet">{t(`overview.steps.${name}.text`)}</p>
            </div>
            {!isDone && isOpen && (
              <Button kind={next?.name === name ? 'main' : undefined} onPress={act}>
                {t(`overview.steps.${name}.button`)}
              </Button>
            )}
          </li>
        ))}
      </ol>
      {isAdding && <NewConnection onClose={() => setAdding(false)} onCreated={(id) => navigate(`/connections/${id}`)} />}
    </Card>
  );
}
