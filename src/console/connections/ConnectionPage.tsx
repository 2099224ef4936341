import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useAccess } from '../access/Access.js';
import { useFresh } from '../api/useFresh.js';
import { DeliveryTable } from '../deliveries/DeliveryTable.js';
import { useDeliveryFeed } from '../deliveries/useDeliveryFeed.js';
import { Button } from '../design/Button.js';
import { ConfirmWindow } from '../design/ConfirmWindow.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';
import { NewSubscription } from '../subscriptions/NewSubscription.js';
import { SubscriptionTable } from '../subscriptions/SubscriptionTable.js';
import { ConnectButton } from './ConnectButton.js';
import { CheckButton, ConnectionBadge, ConnectionNote, SWITCH } from './ConnectionStatus.js';
import { type ConnectionRow, placeOf, repairOf, titleOf } from './connectionRow.js';
import { EditConnection } from './EditConnection.js';
import { SigningSecret } from './SigningSecret.js';

const CONNECTION = graphql(`
  query Connection($id: ID!) {
    connection(id: $id) {
      ...ConnectionRow
      maxConcurrency
      maxPerSecond
      externalId
    }
    subscriptions(first: 100, filter: { connectionId: $id }) { edges { node { ...SubscriptionRow } } }
  }
`);

const DELETE = graphql(`
  mutation DeleteConnection($id: ID!) {
    deleteConnection(input: { id: $id }) { deletedId userErrors { code message path } }
  }
`);

/** One connection: what is wrong with it and the button that repairs it, what goes there, and its settings. */
export function ConnectionPage({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const variables = { id };
  const [{ data, error }, read] = useFresh(useQuery({ query: CONNECTION, variables, requestPolicy: 'cache-and-network' }));
  const [isEditing, setEditing] = useState(false);
  const [isSubscribing, setSubscribing] = useState(false);
  const connection = data?.connection;
  const back = { to: '/connections', text: t('connections.title') };
  if (!connection) {
    return (
      <Page title={t('connections.fields.connection')} back={back}>
        {error && <CallProblem error={error} onRetry={read} />}
        {!data && !error && <Skeleton label={t('loading')} />}
        {data && (
          <Empty icon="connections" title={t('connections.gone')}>
            {t('connections.goneText')}
          </Empty>
        )}
      </Page>
    );
  }
  const subscriptions = data.subscriptions.edges.map(({ node }) => node);
  const add = can.manage && (
    <Button icon="plus" onPress={() => setSubscribing(true)}>
      {t('subscriptions.add')}
    </Button>
  );
  return (
    <Page
      title={titleOf(connection)}
      back={back}
      lead={
        <span className="row">
          <ConnectionBadge connection={connection} />
          {t(`connections.types.${connection.type}`)}
        </span>
      }
      actions={
        <>
          <OperationButton document={CONNECTION} variables={variables} />
          {can.manage && <Button onPress={() => setEditing(true)}>{t('connections.edit')}</Button>}
        </>
      }
    >
      <div className="stack">
        <ConnectionNote connection={connection} />
        <Card title={t('subscriptions.title')} actions={subscriptions.length > 0 && add} isFlush>
          {subscriptions.length > 0 ? (
            <SubscriptionTable rows={subscriptions} showsConnection={false} />
          ) : (
            <Empty icon="subscriptions" title={t('subscriptions.none')} actions={add}>
              {t('subscriptions.noneText')}
            </Empty>
          )}
        </Card>
        <RecentDeliveries id={id} />
        <div className="columns">
          <Settings connection={connection} maxConcurrency={connection.maxConcurrency} maxPerSecond={connection.maxPerSecond} />
          {connection.type === 'WEBHOOK' && can.manage && <SigningSecret connectionId={id} />}
        </div>
        {can.manage && <Ending connection={connection} />}
      </div>
      {isEditing && <EditConnection connection={connection} onClose={() => setEditing(false)} />}
      {isSubscribing && <NewSubscription connectionId={id} onClose={() => setSubscribing(false)} />}
    </Page>
  );
}

/** Deliveries that are shown beside a connection. */
const RECENT = 5;

function RecentDeliveries({ id }: { readonly id: string }) {
  const { t } = useTranslation();
  const filter = useMemo(() => ({ connectionId: id }), [id]);
  const { rows, isLoading, error, reload } = useDeliveryFeed(filter, RECENT);
  return (
    <Card
      title={t('connections.recent')}
      actions={<Link href={`/deliveries?connection=${id}`}>{t('connections.allDeliveries')}</Link>}
      isFlush
    >
      {error && <CallProblem error={error} onRetry={reload} />}
      {rows.length > 0 ? (
        <DeliveryTable rows={rows} />
      ) : isLoading ? (
        <Skeleton label={t('loading')} />
      ) : (
        !error && (
          <Empty icon="deliveries" title={t('deliveries.none')}>
            {t('deliveries.noneText')}
          </Empty>
        )
      )}
    </Card>
  );
}

interface SettingsProps {
  readonly connection: ConnectionRow;
  readonly maxConcurrency: number | null | undefined;
  readonly maxPerSecond: number | null | undefined;
}

function Settings({ connection, maxConcurrency, maxPerSecond }: SettingsProps) {
  const { t } = useTranslation();
  const { id, configuration } = connection;
  return (
    <Card title={t('connections.settings')}>
      <dl className="facts">
        {configuration.__typename === 'WebhookConfiguration' && (
          <>
            <dt>{t('connections.fields.url')}</dt>
            <dd>{configuration.url}</dd>
            <dt>{t('connections.fields.authType')}</dt>
            <dd>{t(`connections.authTypes.${configuration.authType}`)}</dd>
          </>
        )}
        {configuration.__typename === 'KlaviyoConfiguration' && (
          <>
            <dt>{t('connections.fields.account')}</dt>
            <dd>{placeOf(connection) ?? t('connections.noAccount')}</dd>
            <dt>{t('connections.fields.scopes')}</dt>
            <dd>{configuration.requestedScopes.join(', ')}</dd>
          </>
        )}
        {maxConcurrency && (
          <>
            <dt>{t('connections.fields.maxConcurrency')}</dt>
            <dd>{maxConcurrency}</dd>
          </>
        )}
        {maxPerSecond && (
          <>
            <dt>{t('connections.fields.maxPerSecond')}</dt>
            <dd>{maxPerSecond}</dd>
          </>
        )}
        <dt>{t('connections.fields.id')}</dt>
        <dd>
          <code>{id}</code>
        </dd>
        <dt>{t('connections.fields.createdAt')}</dt>
        <dd>
          <Ago at={connection.createdAt} />
        </dd>
      </dl>
    </Card>
  );
}

/** Switches a connection off or deletes it; of a healthy Klaviyo connection, checks it or connects it again. */
function Ending({ connection }: { readonly connection: ConnectionRow }) {
  const { t } = useTranslation();
  const [, navigate] = useLocation();
  const [isDeleting, setDeleting] = useState(false);
  const [switching, turn] = useMutation(SWITCH);
  const [deletion, remove] = useMutation(DELETE);
  const { id, status, type } = connection;
  const isOn = status !== 'DISABLED';
  const isLinked = type === 'KLAVIYO' && status === 'ACTIVE';
  async function confirm(): Promise<void> {
    if ((await remove({ id })).data?.deleteConnection.deletedId) navigate('/connections', { replace: true });
  }
  return (
    <Card title={t('connections.more')}>
      <div className="row">
        {isLinked && repairOf(connection) !== 'check' && <CheckButton id={id} />}
        {isLinked && repairOf(connection) !== 'connect' && <ConnectButton connection={connection} />}
        {isOn && (
          <Button icon="pause" isBusy={switching.fetching} onPress={() => void turn({ id, isEnabled: false })}>
            {t('connections.switchOff')}
          </Button>
        )}
        <Button kind="danger" icon="trash" onPress={() => setDeleting(true)}>
          {t('connections.delete')}
        </Button>
      </div>
      {switching.error && <CallProblem error={switching.error} />}
      {isDeleting && (
        <ConfirmWindow
          title={t('connections.deleteTitle', { name: titleOf(connection) })}
          text={t(type === 'KLAVIYO' ? 'connections.deleteKlaviyo' : 'connections.deleteWebhook')}
          button={t('delete')}
          isBusy={deletion.fetching}
          error={deletion.error}
          errors={deletion.data?.deleteConnection.userErrors}
          onConfirm={() => void confirm()}
          onClose={() => setDeleting(false)}
        />
      )}
    </Card>
  );
}
