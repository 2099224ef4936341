import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import { useAccess } from '../access/Access.js';
import { titleOf } from '../connections/connectionRow.js';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { ConfirmWindow } from '../design/ConfirmWindow.js';
import { SwitchField } from '../design/Field.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { graphql } from '../graphql/gql.js';
import type { SubscriptionRowFragment } from '../graphql/graphql.js';
import { SendTest } from './SendTest.js';

const SWITCH = graphql(`
  mutation SwitchSubscription($id: ID!, $isActive: Boolean!) {
    updateSubscription(input: { id: $id, isActive: $isActive }) {
      subscription { id isActive updatedAt }
      userErrors { code message path }
    }
  }
`);

const DELETE = graphql(`
  mutation DeleteSubscription($id: ID!) {
    deleteSubscription(input: { id: $id }) { deletedId userErrors { code message path } }
  }
`);

interface SubscriptionTableProps {
  readonly rows: readonly SubscriptionRowFragment[];
  /** Whether each row says where its events go. */
  readonly showsConnection: boolean;
}

/** Which events go where: on and off, a test, and the end of it. */
export function SubscriptionTable({ rows, showsConnection }: SubscriptionTableProps) {
  const { t } = useTranslation();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{t('subscriptions.eventType')}</th>
          {showsConnection && <th scope="col">{t('connections.fields.connection')}</th>}
          <th scope="col">{t('connections.fields.status')}</th>
          <th scope="col">
            <span className="unseen">{t('actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <SubscriptionLine key={row.id} row={row} showsConnection={showsConnection} />
        ))}
      </tbody>
    </table>
  );
}

function SubscriptionLine({ row, showsConnection }: { row: SubscriptionRowFragment; showsConnection: boolean }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [isTesting, setTesting] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const [{ fetching, data, error }, turn] = useMutation(SWITCH);
  const [deletion, remove] = useMutation(DELETE);
  const { id, eventType, isActive, connection } = row;
  const state = t(isActive ? 'subscriptions.on' : 'subscriptions.off');
  return (
    <tr>
      <td>
        <code className="name">{eventType}</code>
      </td>
      {showsConnection && (
        <td>
          <Link href={`/connections/${connection.id}`}>{titleOf(connection)}</Link>
        </td>
      )}
      <td>
        {can.manage ? (
          <SwitchField
            label={t('subscriptions.switch', { eventType })}
            isOn={isActive}
            isDisabled={fetching}
            onChange={(next) => void turn({ id, isActive: next })}
          >
            {state}
          </SwitchField>
        ) : (
          <Badge tone={isActive ? 'good' : 'still'} icon={isActive ? 'check' : 'pause'} text={state} />
        )}
        {error && <CallProblem error={error} />}
        <OtherErrors errors={data?.updateSubscription.userErrors ?? []} />
      </td>
      <td className="end">
        {can.manage && (
          <span className="row">
            <Button icon="play" onPress={() => setTesting(true)}>
              {t('subscriptions.test')}
            </Button>
            <Button kind="danger" icon="trash" label={t('subscriptions.delete', { eventType })} onPress={() => setDeleting(true)}>
              {null}
            </Button>
          </span>
        )}
        {isTesting && <SendTest subscription={row} onClose={() => setTesting(false)} />}
        {isDeleting && (
          <ConfirmWindow
            title={t('subscriptions.deleteTitle')}
            text={t('subscriptions.deleteText', { eventType })}
            button={t('delete')}
            isBusy={deletion.fetching}
            error={deletion.error}
            errors={deletion.data?.deleteSubscription.userErrors}
            onConfirm={() => void remove({ id })}
            onClose={() => setDeleting(false)}
          />
        )}
      </td>
    </tr>
  );
}
