import { useTranslation } from 'react-i18next';
import { useQuery } from 'urql';
import { usePages } from '../api/usePages.js';
import { Code, prettyJson } from '../design/Code.js';
import { MoreButton } from '../design/MoreButton.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Exact } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';

const AUDIT = graphql(`
  query AuditLog($first: Int!, $after: String) {
    auditEvents(first: $first, after: $after) {
      edges { node { id action actorType actorId address subjectType subjectId before after createdAt } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

/** Who did what, when and from where. */
export function AuditLog() {
  const { t } = useTranslation();
  const variables = { first: 50 };
  const [{ data, error }, read] = useQuery({ query: AUDIT, variables, requestPolicy: 'cache-and-network' });
  const { rows, readMore, isBusy } = usePages(AUDIT, variables, data?.auditEvents, ({ auditEvents }) => auditEvents);
  return (
    <Card title={t('developers.parts.audit')} actions={<OperationButton document={AUDIT} variables={variables} />} isFlush>
      {error && <CallProblem error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />}
      {!data && !error && <Skeleton label={t('loading')} />}
      {data && rows.length === 0 && (
        <Empty icon="developers" title={t('audit.none')}>
          {t('audit.noneText')}
        </Empty>
      )}
      {rows.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('audit.action')}</th>
              <th scope="col">{t('audit.actor')}</th>
              <th scope="col">{t('audit.subject')}</th>
              <th scope="col">{t('audit.when')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td>
                  <code className="name">{row.action}</code>
                  {(row.before || row.after) && (
                    <details>
                      <summary className="small">{t('audit.change')}</summary>
                      <Code text={prettyJson({ before: row.before, after: row.after })} label={t('audit.change')} />
                    </details>
                  )}
                </td>
                <td>
                  {row.actorType} {row.actorId && <span className="quiet">#{row.actorId}</span>}
                  {row.address && <div className="small quiet">{row.address}</div>}
                </td>
                <td>
                  {row.subjectType} <span className="quiet">#{row.subjectId}</span>
                </td>
                <td className="quiet">
                  <Exact at={row.createdAt} />
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
