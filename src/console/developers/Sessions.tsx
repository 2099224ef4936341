import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Empty, Skeleton } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { graphql } from '../graphql/gql.js';

const SESSIONS = graphql(`
  query Sessions {
    sessions(first: 100) {
      edges { node { id permissions origin createdAt expiresAt endedAt connection { id name } } }
    }
  }
`);

const END = graphql(`
  mutation EndSession($id: ID!) {
    endSession(input: { id: $id }) { session { id endedAt } userErrors { code message path } }
  }
`);

/** Every session of the last 30 days: whose it is, what it may do, and the button that ends it. */
export function Sessions() {
  const { t } = useTranslation();
  const [{ data, error }, read] = useQuery({ query: SESSIONS, requestPolicy: 'cache-and-network' });
  const [ending, end] = useMutation(END);
  const rows = data?.sessions.edges.map(({ node }) => node) ?? [];
  const now = Date.now();
  return (
    <Card title={t('developers.parts.sessions')} actions={<OperationButton document={SESSIONS} />} isFlush>
      {error && <CallProblem error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />}
      {ending.error && <CallProblem error={ending.error} />}
      {!data && !error && <Skeleton label={t('loading')} />}
      {data && rows.length === 0 && (
        <Empty icon="key" title={t('sessions.none')}>
          {t('sessions.noneText')}
        </Empty>
      )}
      {rows.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('sessions.permissions')}</th>
              <th scope="col">{t('sessions.reach')}</th>
              <th scope="col">{t('sessions.createdAt')}</th>
              <th scope="col">{t('connections.fields.status')}</th>
              <th scope="col">
                <span className="unseen">{t('actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, permissions, origin, createdAt, expiresAt, endedAt, connection }) => {
              const isAlive = !endedAt && Date.parse(expiresAt) > now;
              return (
                <tr key={id}>
                  <td className="name">{permissions.join(', ')}</td>
                  <td>
                    {connection ? (connection.name ?? `#${connection.id}`) : t('sessions.everything')}
                    {origin && <span className="small quiet"> · {origin}</span>}
                  </td>
                  <td className="quiet">
                    <Ago at={createdAt} />
                  </td>
                  <td>
                    <Badge
                      tone={isAlive ? 'good' : 'still'}
                      text={t(isAlive ? 'sessions.alive' : endedAt ? 'sessions.ended' : 'sessions.expired')}
                    />
                  </td>
                  <td className="end">
                    {isAlive && (
                      <Button kind="danger" onPress={() => void end({ id })}>
                        {t('sessions.end')}
                      </Button>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}
