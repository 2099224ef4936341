import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { titleOf } from '../connections/connectionRow.js';
import { Badge } from '../design/Badge.js';
import { Ago } from '../design/Time.js';
import { type DeliveryRow, LOOKS } from './deliveryRow.js';

export function DeliveryBadge({ status }: Pick<DeliveryRow, 'status'>) {
  const { t } = useTranslation();
  return <Badge {...LOOKS[status]} text={t(`deliveries.statuses.${status}`)} />;
}

/** A few deliveries, such as the latest of a connection. */
export function DeliveryTable({ rows, showsConnection }: { rows: readonly DeliveryRow[]; showsConnection?: boolean }) {
  const { t } = useTranslation();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t('deliveries.status')}</th>
          <th scope="col">{t('deliveries.event')}</th>
          {showsConnection && <th scope="col">{t('connections.fields.connection')}</th>}
          <th scope="col">{t('deliveries.attempts')}</th>
          <th scope="col">{t('deliveries.createdAt')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td>
              <DeliveryBadge status={row.status} />
            </td>
            <td>
              <Link className="name" href={`/deliveries/${row.id}`}>
                {row.event.eventType}
              </Link>
            </td>
            {showsConnection && <td>{row.connection ? titleOf(row.connection) : t('deliveries.connectionGone')}</td>}
            <td className="number">{t('deliveries.attemptCount', { count: row.attemptCount })}</td>
            <td className="quiet">
              <Ago at={row.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
