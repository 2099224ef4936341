import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useAccess } from '../access/Access.js';
import { NeedsKeys } from '../access/SignIn.js';
import { useFresh } from '../api/useFresh.js';
import { useSecondLook, useWatch } from '../api/useWatch.js';
import { DeliveryTable } from '../deliveries/DeliveryTable.js';
import { Code, prettyJson } from '../design/Code.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Exact } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';

const EVENT = graphql(`
  query Event($id: ID!) {
    event(id: $id) {
      id
      eventType
      createdAt
      occurredAt
      erasedAt
      idempotencyKey
      orderingKey
      data
      deliveries(first: 100) { edges { node { ...DeliveryRow } } }
    }
  }
`);

const HEARD = graphql(`
  subscription WatchEvent { deliveryUpdated { ...DeliveryRow } }
`);

/** One event: its data, and what became of it everywhere. */
export default function EventPage({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const variables = { id };
  const [{ data, error }, read] = useFresh(
    useQuery({ query: EVENT, variables, pause: !can.readEvents, requestPolicy: 'cache-and-network' }),
  );
  const event = data?.event;
  const known = event?.deliveries.edges.length ?? 0;
  // The cache shows what is heard of a delivery that is listed. One that is not is read with all others.
  useWatch(HEARD, {}, ({ deliveryUpdated }) => {
    if (!can.readEvents || deliveryUpdated.event.id !== id) return;
    if (!event?.deliveries.edges.some(({ node }) => node.id === deliveryUpdated.id)) read();
  });
  useSecondLook(() => can.readEvents && read());
  const back = { to: '/events', text: t('events.title') };
  return (
    <Page
      title={event?.eventType ?? t('events.event')}
      back={back}
      lead={event && <Exact at={event.createdAt} />}
      actions={<OperationButton document={EVENT} variables={variables} />}
    >
      <div className="stack">
        {!can.readEvents && <NeedsKeys why={t('events.needsKeysToRead')} scope="READ" />}
        {error && <CallProblem error={error} onRetry={read} />}
        {can.readEvents && !data && !error && <Skeleton label={t('loading')} />}
        {data && !event && (
          <Empty icon="events" title={t('events.gone')}>
            {t('events.goneText')}
          </Empty>
        )}
        {event && (
          <>
            <Card title={t('events.became')} isFlush>
              {known > 0 ? (
                <DeliveryTable rows={event.deliveries.edges.map(({ node }) => node)} showsConnection />
              ) : (
                <Empty icon="deliveries" title={t('events.nowhere')}>
                  {t('events.nowhereText')}
                </Empty>
              )}
            </Card>
            <Card title={t('deliveries.data')}>
              {event.erasedAt ? (
                <p>
                  {t('events.erased')} <Exact at={event.erasedAt} />
                </p>
              ) : (
                <Code text={prettyJson(event.data)} label={t('deliveries.data')} />
              )}
            </Card>
          </>
        )}
      </div>
    </Page>
  );
}
