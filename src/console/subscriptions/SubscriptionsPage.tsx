import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useSearchParams } from 'wouter';
import { useAccess } from '../access/Access.js';
import { useFresh } from '../api/useFresh.js';
import { usePages } from '../api/usePages.js';
import { Button } from '../design/Button.js';
import { ChoiceField } from '../design/Field.js';
import { MoreButton } from '../design/MoreButton.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { graphql } from '../graphql/gql.js';
import { NewSubscription } from './NewSubscription.js';
import { SubscriptionTable } from './SubscriptionTable.js';
import { EVENT_TYPE_NAMES } from './subscriptionCalls.js';

const SUBSCRIPTIONS = graphql(`
  query Subscriptions($first: Int!, $after: String, $filter: SubscriptionFilter) {
    subscriptions(first: $first, after: $after, filter: $filter) {
      edges { node { ...SubscriptionRow } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Every subscription of every connection. */
export function SubscriptionsPage() {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [parameters, setParameters] = useSearchParams();
  const eventType = parameters.get('type') ?? '';
  const [{ data: types }] = useQuery({ query: EVENT_TYPE_NAMES });
  const [isAdding, setAdding] = useState(false);
  const filter = eventType ? { eventType } : null;
  const variables = { first: 50, filter };
  const [{ data, error }, read] = useFresh(useQuery({ query: SUBSCRIPTIONS, variables, requestPolicy: 'cache-and-network' }));
  const { rows, readMore, isBusy } = usePages(
    SUBSCRIPTIONS,
    variables,
    data?.subscriptions,
    ({ subscriptions }) => subscriptions,
  );
  const add = can.manage && (
    <Button kind="main" icon="plus" onPress={() => setAdding(true)}>
      {t('subscriptions.add')}
    </Button>
  );
  return (
    <Page
      title={t('subscriptions.title')}
      lead={t('subscriptions.lead')}
      actions={
        <>
          <OperationButton document={SUBSCRIPTIONS} variables={variables} />
          {add}
        </>
      }
    >
      <div className="filters">
        <ChoiceField
          label={t('subscriptions.eventType')}
          value={eventType}
          choices={[{ value: '', text: t('any') }, ...(types?.eventTypes ?? []).map(({ name }) => ({ value: name, text: name }))]}
          onChange={(value) => setParameters(value ? { type: value } : {}, { replace: true })}
        />
      </div>
      {error && <CallProblem error={error} onRetry={read} />}
      <Card isFlush>
        {!data && !error && <Skeleton label={t('loading')} />}
        {data && rows.length === 0 && (
          <Empty icon="subscriptions" title={t('subscriptions.none')} actions={add}>
            {t('subscriptions.noneText')}
          </Empty>
        )}
        {rows.length > 0 && <SubscriptionTable rows={rows} showsConnection />}
        {readMore && <MoreButton onPress={readMore} isBusy={isBusy} />}
      </Card>
      {isAdding && <NewSubscription onClose={() => setAdding(false)} />}
    </Page>
  );
}
