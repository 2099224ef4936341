import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import { useAccess } from '../access/Access.js';
import { usePages } from '../api/usePages.js';
import { Button } from '../design/Button.js';
import { Field } from '../design/Field.js';
import { MoreButton } from '../design/MoreButton.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Note, Page, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';

const ORGANIZATIONS = graphql(`
  query Organizations($first: Int!, $after: String, $filter: OrganizationFilter) {
    organizations(first: $first, after: $after, filter: $filter) {
      edges { node { id name externalId createdAt deletion { requestedAt } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Every organization of a platform: found by its externalId, and entered. */
export default function OrganizationsPage() {
  const { t } = useTranslation();
  const { isPlatform, credential, enter } = useAccess();
  return (
    <Page title={t('organizations.title')} lead={t('organizations.lead')}>
      {isPlatform ? (
        <List />
      ) : (
        <Note
          tone="still"
          title={t('organizations.inside', { id: credential.organization })}
          actions={<Button onPress={() => enter(null)}>{t('organizations.leave')}</Button>}
        />
      )}
    </Page>
  );
}

function List() {
  const { t } = useTranslation();
  const { enter } = useAccess();
  const [, navigate] = useLocation();
  const [externalId, setExternalId] = useState('');
  const variables = { first: 50, filter: externalId.trim() ? { externalId: externalId.trim() } : null };
  const [{ data, error }, read] = useQuery({ query: ORGANIZATIONS, variables });
  const { rows, readMore, isBusy } = usePages(
    ORGANIZATIONS,
    variables,
    data?.organizations,
    ({ organizations }) => organizations,
  );
  function go(id: string): void {
    enter(id);
    navigate('/', { replace: true });
  }
  return (
    <>
      <search className="filters">
        <Field label={t('organizations.find')} type="search" value={externalId} onChange={setExternalId} isWide />
        <OperationButton document={ORGANIZATIONS} variables={variables} />
      </search>
      {error && <CallProblem error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />}
      <Card isFlush>
        {!data && !error && <Skeleton label={t('loading')} />}
        {data && rows.length === 0 && (
          <Empty icon="organizations" title={t('organizations.none')}>
            {t('organizations.noneText')}
          </Empty>
        )}
        {rows.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('organizations.name')}</th>
                <th scope="col">externalId</th>
                <th scope="col">{t('connections.fields.createdAt')}</th>
                <th scope="col">
                  <span className="unseen">{t('actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, name, externalId, createdAt, deletion }) => (
                <tr key={id}>
                  <td className="name">{name}</td>
                  <td>{externalId && <code>{externalId}</code>}</td>
                  <td className="quiet">
                    <Ago at={createdAt} />
                  </td>
                  <td className="end">
                    {deletion ? (
                      <span className="quiet">{t('organizations.deleting')}</span>
                    ) : (
                      <Button onPress={() => go(id)}>{t('organizations.enter')}</Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {readMore && <MoreButton onPress={readMore} isBusy={isBusy} />}
      </Card>
    </>
  );
}
