import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useAccess } from '../access/Access.js';
import { useFresh } from '../api/useFresh.js';
import { usePages } from '../api/usePages.js';
import { Button } from '../design/Button.js';
import { ChoiceField } from '../design/Field.js';
import { Icon } from '../design/Icon.js';
import { MoreButton } from '../design/MoreButton.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';
import type { ConnectionFilter, ConnectionStatus } from '../graphql/graphql.js';
import { ConnectionBadge, RepairButton } from './ConnectionStatus.js';
import { type ConnectionRow, placeOf, titleOf } from './connectionRow.js';
import { NewConnection } from './NewConnection.js';

const CONNECTIONS = graphql(`
  query Connections($first: Int!, $after: String, $filter: ConnectionFilter) {
    connections(first: $first, after: $after, filter: $filter) {
      edges { node { ...ConnectionRow } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const STATUSES = ['ACTIVE', 'PENDING_AUTHORIZATION', 'REAUTHORIZATION_REQUIRED', 'DISABLED'] as const;

/** Every connection with its status, live, and the button that repairs what is wrong. */
export function ConnectionsPage() {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [, navigate] = useLocation();
  const [parameters, setParameters] = useSearchParams();
  const status = STATUSES.find((one) => one === parameters.get('status'));
  const variables = { first: 50, filter: status ? ({ status } satisfies ConnectionFilter) : null };
  const [{ data, error }, read] = useFresh(useQuery({ query: CONNECTIONS, variables, requestPolicy: 'cache-and-network' }));
  const [isAdding, setAdding] = useState(false);
  const { rows, readMore, isBusy } = usePages(CONNECTIONS, variables, data?.connections, ({ connections }) => connections);
  const add = can.createConnections && (
    <Button kind="main" icon="plus" onPress={() => setAdding(true)}>
      {t('connections.add')}
    </Button>
  );
  function choose(value: ConnectionStatus | ''): void {
    setParameters(value ? { status: value } : {}, { replace: true });
  }
  return (
    <Page
      title={t('connections.title')}
      lead={t('connections.lead')}
      actions={
        <>
          <OperationButton document={CONNECTIONS} variables={variables} />
          {add}
        </>
      }
    >
      <div className="filters">
        <ChoiceField
          label={t('connections.fields.status')}
          value={status ?? ''}
          choices={[
            { value: '', text: t('any') },
            ...STATUSES.map((value) => ({ value, text: t(`connections.statuses.${value}`) })),
          ]}
          onChange={choose}
        />
      </div>
      {error && <CallProblem error={error} onRetry={read} />}
      <Card isFlush>
        {!data && !error && <Skeleton label={t('loading')} />}
        {data && rows.length === 0 && (
          <Empty icon="connections" title={t(status ? 'connections.noneSo' : 'connections.none')} actions={!status && add}>
            {t(status ? 'connections.noneSoText' : 'connections.noneText')}
          </Empty>
        )}
        {rows.length > 0 && <ConnectionTable rows={rows} />}
        {readMore && <MoreButton onPress={readMore} isBusy={isBusy} />}
      </Card>
      {isAdding && <NewConnection onClose={() => setAdding(false)} onCreated={(id) => navigate(`/connections/${id}`)} />}
    </Page>
  );
}

function ConnectionTable({ rows }: { readonly rows: readonly ConnectionRow[] }) {
  const { t } = useTranslation();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t('connections.fields.connection')}</th>
          <th scope="col">{t('connections.fields.status')}</th>
          <th scope="col">{t('connections.fields.updatedAt')}</th>
          <th scope="col">
            <span className="unseen">{t('actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((connection) => (
          <tr key={connection.id}>
            <td>
              <Link className="name row" href={`/connections/${connection.id}`}>
                <Icon name={connection.type === 'WEBHOOK' ? 'webhook' : 'mail'} />
                {titleOf(connection)}
              </Link>
              <span className="small quiet">
                {t(`connections.types.${connection.type}`)}
                {connection.name && placeOf(connection) ? ` · ${placeOf(connection)}` : ''}
              </span>
            </td>
            <td>
              <ConnectionBadge connection={connection} />
            </td>
            <td className="quiet">
              <Ago at={connection.updatedAt} />
            </td>
            <td className="end">
              <RepairButton connection={connection} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
