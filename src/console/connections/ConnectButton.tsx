import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClient } from 'urql';
import { useAccess } from '../access/Access.js';
import { NeedsKeys } from '../access/SignIn.js';
import { codeOf } from '../api/createClient.js';
import { Button } from '../design/Button.js';
import { Note } from '../design/Page.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import type { ConnectionRow } from './connectionRow.js';

const MAKE_LINK = graphql(`
  mutation MakeConnectLink($input: CreateSessionInput!) {
    createSession(input: $input) { url userErrors { code message path } }
  }
`);

const START = graphql(`
  mutation StartAuthorization($connectionId: ID!) {
    startAuthorization(input: { connectionId: $connectionId }) { authorizationUrl userErrors { code message path } }
  }
`);

type Trouble = 'needsKeys' | 'blocked' | { readonly message: string };

interface ConnectButtonProps {
  readonly connection: Pick<ConnectionRow, 'id' | 'status'>;
  readonly kind?: 'main';
}

/**
 * Opens the connect page of a connection in a pop-up. The row turns ACTIVE by itself, since live updates tell of it.
 * A key makes a link for the connection; a session with CONNECT is that link itself.
 */
export function ConnectButton({ connection, kind }: ConnectButtonProps) {
  const { t } = useTranslation();
  const { credential, session } = useAccess();
  const urql = useClient();
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const isOwn = session?.permissions.includes('CONNECT') === true && session.connectionId === connection.id;

  async function connect(): Promise<void> {
    if (!credential.keys && !isOwn) return setTrouble('needsKeys');
    // At once, since browsers block a pop-up that no click opened.
    const popup = window.open('', 'switchboard-connect', 'popup,width=520,height=760');
    if (!popup) return setTrouble('blocked');
    if (isOwn) {
      popup.location.href = `/connect/${encodeURIComponent(credential.session?.token ?? '')}?display=popup`;
      return;
    }
    setBusy(true);
    const found = await findAddress();
    setBusy(false);
    if (typeof found === 'string') popup.location.href = found;
    else {
      popup.close();
      setTrouble(found);
    }
  }

  async function findAddress(): Promise<string | Trouble> {
    const { origin, hostname, protocol } = location;
    const input = {
      permissions: ['CONNECT' as const],
      connectionId: connection.id,
      origin: protocol === 'https:' || hostname === 'localhost' ? origin : undefined,
    };
    const made = await urql.mutation(MAKE_LINK, { input }).toPromise();
    const url = made.data?.createSession.url;
    if (url) return `${url}?display=popup`;
    if (codeOf(made.error) !== 'FORBIDDEN') {
      return { message: messageOf({ userErrors: made.data?.createSession.userErrors, error: made.error }) };
    }
    // A key without ADMIN makes no link, and starts the authorization itself.
    const started = await urql.mutation(START, { connectionId: connection.id }).toPromise();
    const address = started.data?.startAuthorization.authorizationUrl;
    return address ?? { message: messageOf({ userErrors: started.data?.startAuthorization.userErrors, error: started.error }) };
  }

  const isAgain = connection.status === 'ACTIVE' || connection.status === 'REAUTHORIZATION_REQUIRED';
  return (
    <>
      <Button kind={kind} icon="link" isBusy={isBusy} onPress={() => void connect()}>
        {isAgain ? t('connections.connectAgain') : t('connections.connect')}
      </Button>
      {trouble && (
        <Window title={t('connections.connect')} onClose={() => setTrouble(null)}>
          {trouble === 'needsKeys' ? (
            <NeedsKeys why={t('connections.connectNeedsKeys')} scope="MANAGE" />
          ) : (
            <Note tone="bad" title={trouble === 'blocked' ? t('connections.popupBlocked') : trouble.message} />
          )}
          <div className="end">
            <Button onPress={() => setTrouble(null)}>{t('close')}</Button>
          </div>
        </Window>
      )}
    </>
  );
}

interface Refusal {
  readonly userErrors?: readonly { readonly message: string }[];
  readonly error?: { readonly message: string };
}

const messageOf = ({ userErrors, error }: Refusal): string => userErrors?.[0]?.message ?? error?.message ?? '';
