import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import { useAccess } from '../access/Access.js';
import { useFresh } from '../api/useFresh.js';
import { useSecondLook, useWatch } from '../api/useWatch.js';
import { placeOf, titleOf } from '../connections/connectionRow.js';
import { Button } from '../design/Button.js';
import { Code, CopyButton, prettyJson } from '../design/Code.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { Ago, Exact } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';
import { AttemptTimeline } from './AttemptTimeline.js';
import { DeliveryBadge } from './DeliveryTable.js';
import { toCurl } from './toCurl.js';

const DELIVERY = graphql(`
  query Delivery($id: ID!) {
    delivery(id: $id) {
      ...DeliveryRow
      event { id occurredAt erasedAt }
      subscription { id }
      attempts { number trigger statusCode durationMs startedAt error { code } }
    }
  }
`);

/** What no session reads: the event's data, and what the receiver answered. */
const CONTENT = graphql(`
  query DeliveryContent($id: ID!) {
    delivery(id: $id) {
      id
      event { id data }
      attempts { number responseBody error { code message } }
    }
  }
`);

const UPDATED = graphql(`
  subscription WatchDelivery { deliveryUpdated { id status updatedAt } }
`);

const RETRY = graphql(`
  mutation RetryDelivery($id: ID!) {
    retryDelivery(input: { deliveryId: $id }) {
      delivery { ...DeliveryRow }
      userErrors { code message path }
    }
  }
`);

/** One delivery: what became of it, attempt by attempt. */
export function DeliveryPage({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const variables = { id };
  const query = useQuery({ query: DELIVERY, variables, requestPolicy: 'cache-and-network' });
  const [{ data, error }, read] = useFresh(query);
  const [{ data: content }, readContent] = useQuery({
    ...{ query: CONTENT, variables, pause: !can.readEvents },
    requestPolicy: 'cache-and-network',
  });
  const [retrying, retry] = useMutation(RETRY);
  const delivery = data?.delivery;
  function readAll(): void {
    read();
    if (can.readEvents) readContent({ requestPolicy: 'network-only' });
  }
  // Watched from the beginning, before its connection is known. An update says that there is more to read.
  useWatch(UPDATED, {}, ({ deliveryUpdated }) => {
    if (deliveryUpdated.id === id) readAll();
  });
  useSecondLook(readAll);

  const back = { to: '/deliveries', text: t('deliveries.title') };
  if (!delivery) {
    return (
      <Page title={t('deliveries.delivery')} back={back}>
        {error && <CallProblem error={error} onRetry={read} />}
        {!data && !error && <Skeleton label={t('loading')} />}
        {data && (
          <Empty icon="deliveries" title={t('deliveries.gone')}>
            {t('deliveries.goneText')}
          </Empty>
        )}
      </Page>
    );
  }
  const { connection, event, status } = delivery;
  const eventData = content?.delivery?.event.data;
  const url = connection?.configuration.__typename === 'WebhookConfiguration' ? placeOf(connection) : null;
  const answers = new Map(content?.delivery?.attempts.map((attempt) => [attempt.number, attempt]));
  return (
    <Page
      title={event.eventType}
      back={back}
      lead={
        <span className="row">
          <DeliveryBadge status={status} />
          {t(`deliveries.explained.${status}`)}
        </span>
      }
      actions={
        <>
          <OperationButton document={DELIVERY} variables={variables} />
          {url && eventData && (
            <CopyButton text={toCurl(url, delivery.id, event.eventType, eventData)} label={t('deliveries.curl')} />
          )}
          {can.manage && connection && (
            <Button
              kind={status === 'DELIVERED' ? undefined : 'main'}
              icon="retry"
              isBusy={retrying.fetching}
              onPress={() => void retry({ id })}
            >
              {t('deliveries.retry')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack">
        {retrying.error && <CallProblem error={retrying.error} />}
        <OtherErrors errors={retrying.data?.retryDelivery.userErrors ?? []} />
        <Card title={t('deliveries.attempts')}>
          <AttemptTimeline delivery={delivery} answers={answers} />
        </Card>
        <Card title={t('deliveries.details')}>
          <dl className="facts">
            <dt>{t('connections.fields.connection')}</dt>
            <dd>
              {connection ? (
                <Link href={`/connections/${connection.id}`}>{titleOf(connection)}</Link>
              ) : (
                t('deliveries.connectionGone')
              )}
            </dd>
            <dt>{t('deliveries.eventId')}</dt>
            <dd>
              <Link href={can.readEvents ? `/events/${event.id}` : `/deliveries?event=${event.id}`}>
                <code>{event.id}</code>
              </Link>
            </dd>
            <dt>{t('deliveries.deliveryId')}</dt>
            <dd>
              <code>{delivery.id}</code>
            </dd>
            <dt>{t('deliveries.occurredAt')}</dt>
            <dd>
              <Exact at={event.occurredAt} />
            </dd>
            <dt>{t('deliveries.createdAt')}</dt>
            <dd>
              <Ago at={delivery.createdAt} />
            </dd>
          </dl>
        </Card>
        {eventData && (
          <Card title={t('deliveries.data')}>
            <Code text={prettyJson(eventData)} label={t('deliveries.data')} />
          </Card>
        )}
        {!can.readEvents && <p className="small quiet">{t('deliveries.contentHidden')}</p>}
      </div>
    </Page>
  );
}
