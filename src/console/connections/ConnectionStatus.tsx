import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { useAccess } from '../access/Access.js';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { Note } from '../design/Page.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { graphql } from '../graphql/gql.js';
import { ConnectButton } from './ConnectButton.js';
import { type ConnectionRow, lookOf, repairOf } from './connectionRow.js';
import { EditConnection } from './EditConnection.js';

export function ConnectionBadge({ connection }: { readonly connection: ConnectionRow }) {
  const { t } = useTranslation();
  const { tone, icon, text } = lookOf(connection);
  return <Badge tone={tone} icon={icon} text={t(`connections.looks.${text}`)} />;
}

/** Says what is wrong with a connection and who must act, with the button that repairs it. Nothing when all is well. */
export function ConnectionNote({ connection }: { readonly connection: ConnectionRow }) {
  const { t } = useTranslation();
  const code = connection.statusReasonCode ?? connection.problemCode;
  if (!code) return null;
  return (
    <Note
      tone={lookOf(connection).tone}
      title={t(`connections.reasons.${code}.what`)}
      actions={<RepairButton connection={connection} isMain />}
    >
      <p>{t(`connections.reasons.${code}.who`)}</p>
    </Note>
  );
}

const SWITCH = graphql(`
  mutation SwitchConnection($id: ID!, $isEnabled: Boolean!) {
    updateConnection(input: { id: $id, isEnabled: $isEnabled }) {
      connection { ...ConnectionRow }
      userErrors { code message path }
    }
  }
`);

const CHECK = graphql(`
  mutation CheckConnection($id: ID!) {
    checkConnection(input: { connectionId: $id }) {
      result { outcome message checkedAt }
      connection { ...ConnectionRow }
      userErrors { code message path }
    }
  }
`);

/** The one button that repairs what is wrong; nothing when there is no such thing, or when the caller may not. */
export function RepairButton({ connection, isMain }: { readonly connection: ConnectionRow; readonly isMain?: boolean }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [isEditing, setEditing] = useState(false);
  const [{ fetching, data, error }, switchOn] = useMutation(SWITCH);
  const repair = repairOf(connection);
  const kind = isMain ? 'main' : undefined;
  if (!repair) return null;
  if (repair === 'connect') return <ConnectButton connection={connection} kind={kind} />;
  if (!can.manage) return null;
  if (repair === 'check') return <CheckButton id={connection.id} kind={kind} />;
  if (repair === 'correctUrl') {
    return (
      <>
        <Button kind={kind} onPress={() => setEditing(true)}>
          {t('connections.correctUrl')}
        </Button>
        {isEditing && <EditConnection connection={connection} onClose={() => setEditing(false)} />}
      </>
    );
  }
  return (
    <>
      <Button kind={kind} isBusy={fetching} onPress={() => void switchOn({ id: connection.id, isEnabled: true })}>
        {t('connections.switchOn')}
      </Button>
      {error && <CallProblem error={error} />}
      <OtherErrors errors={data?.updateConnection.userErrors ?? []} />
    </>
  );
}

/** Asks Klaviyo now whether the grant lives, and says what it found. */
export function CheckButton({ id, kind }: { readonly id: string; readonly kind?: 'main' }) {
  const { t } = useTranslation();
  const [{ fetching, data, error }, check] = useMutation(CHECK);
  const result = data?.checkConnection.result;
  return (
    <>
      <Button kind={kind} icon="retry" isBusy={fetching} onPress={() => void check({ id })}>
        {t('connections.check')}
      </Button>
      <span role="status">{result ? t(`connections.outcomes.${result.outcome}`) : ''}</span>
      {error && <CallProblem error={error} />}
      <OtherErrors errors={data?.checkConnection.userErrors ?? []} />
    </>
  );
}

export { SWITCH };
