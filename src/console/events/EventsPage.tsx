import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useAccess } from '../access/Access.js';
import { NeedsKeys } from '../access/SignIn.js';
import { useFresh } from '../api/useFresh.js';
import { usePages } from '../api/usePages.js';
import { Button } from '../design/Button.js';
import { Code, prettyJson } from '../design/Code.js';
import { MoreButton } from '../design/MoreButton.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import { PublishEvent } from './PublishEvent.js';

const EVENTS = graphql(`
  query Events($first: Int!, $after: String, $filter: EventFilter) {
    events(first: $first, after: $after, filter: $filter) {
      edges { node { id eventType createdAt idempotencyKey } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const EVENT_TYPES = graphql(`
  query EventTypes { eventTypes { name description schema sample } }
`);

/** The types of events, and what was published of them. */
export default function EventsPage() {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [, navigate] = useLocation();
  const [isPublishing, setPublishing] = useState(false);
  return (
    <Page
      title={t('events.title')}
      lead={t('events.lead')}
      actions={
        <>
          <OperationButton document={EVENTS} variables={{ first: 50 }} />
          <Button kind="main" icon="plus" onPress={() => setPublishing(true)}>
            {t('events.publish')}
          </Button>
        </>
      }
    >
      <div className="stack">
        {can.readEvents && <Published onPublish={() => setPublishing(true)} />}
        <EventTypes />
      </div>
      {isPublishing &&
        (can.publish ? (
          <PublishEvent onClose={() => setPublishing(false)} onPublished={(id) => navigate(`/events/${id}`)} />
        ) : (
          <Window title={t('events.publish')} onClose={() => setPublishing(false)}>
            <NeedsKeys why={t('events.needsKeys')} scope="PUBLISH" />
          </Window>
        ))}
    </Page>
  );
}

function Published({ onPublish }: { readonly onPublish: () => void }) {
  const { t } = useTranslation();
  const variables = { first: 50, filter: null };
  const [{ data, error }, read] = useFresh(useQuery({ query: EVENTS, variables, requestPolicy: 'cache-and-network' }));
  const { rows, readMore, isBusy } = usePages(EVENTS, variables, data?.events, ({ events }) => events);
  return (
    <Card title={t('events.published')} isFlush>
      {error && <CallProblem error={error} onRetry={read} />}
      {!data && !error && <Skeleton label={t('loading')} />}
      {data && rows.length === 0 && (
        <Empty
          icon="events"
          title={t('events.none')}
          actions={
            <Button kind="main" onPress={onPublish}>
              {t('events.publish')}
            </Button>
          }
        >
          {t('events.noneText')}
        </Empty>
      )}
      {rows.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('subscriptions.eventType')}</th>
              <th scope="col">{t('events.id')}</th>
              <th scope="col">{t('events.createdAt')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, eventType, createdAt }) => (
              <tr key={id}>
                <td>
                  <Link className="name" href={`/events/${id}`}>
                    {eventType}
                  </Link>
                </td>
                <td>
                  <code>{id}</code>
                </td>
                <td className="quiet">
                  <Ago at={createdAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {readMore && <MoreButton onPress={readMore} isBusy={isBusy} />}
    </Card>
  );
}

function EventTypes() {
  const { t } = useTranslation();
  const [{ data }] = useQuery({ query: EVENT_TYPES });
  return (
    <Card title={t('events.types')}>
      <div className="stack">
        {data?.eventTypes.map(({ name, description, schema, sample }) => (
          <details key={name}>
            <summary>
              <code className="name">{name}</code> <span className="quiet small">{description}</span>
            </summary>
            <div className="columns">
              <div>
                <h3 className="small">{t('events.sample')}</h3>
                <Code text={prettyJson(sample)} label={t('events.sample')} />
              </div>
              <div>
                <h3 className="small">{t('events.schema')}</h3>
                <Code text={prettyJson(schema)} label={t('events.schema')} />
              </div>
            </div>
          </details>
        ))}
      </div>
    </Card>
  );
}
