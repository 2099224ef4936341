import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { useAccess } from '../access/Access.js';
import { NeedsKeys } from '../access/SignIn.js';
import { Button } from '../design/Button.js';
import { Secret } from '../design/Code.js';
import { ConfirmWindow } from '../design/ConfirmWindow.js';
import { Card } from '../design/Page.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { Exact } from '../design/Time.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';

const REVEAL = graphql(`
  mutation RevealSigningSecret($id: ID!) {
    revealSigningSecret(input: { connectionId: $id }) {
      signingSecret
      previousSecretExpiresAt
      userErrors { code message path }
    }
  }
`);

const ROTATE = graphql(`
  mutation RotateSigningSecret($id: ID!) {
    rotateSigningSecret(input: { connectionId: $id }) {
      signingSecret
      previousSecretExpiresAt
      userErrors { code message path }
    }
  }
`);

/** Shows and replaces the secret that signs a webhook's deliveries. Needs a key with ADMIN. */
export function SigningSecret({ connectionId }: { readonly connectionId: string }) {
  const { t } = useTranslation();
  const { can } = useAccess();
  const [isAsking, setAsking] = useState<'keys' | 'rotate' | null>(null);
  const [revealed, reveal] = useMutation(REVEAL);
  const [rotated, rotate] = useMutation(ROTATE);
  const shown = rotated.data?.rotateSigningSecret ?? revealed.data?.revealSigningSecret;
  const error = rotated.error ?? revealed.error;
  async function replace(): Promise<void> {
    if ((await rotate({ id: connectionId })).data?.rotateSigningSecret.signingSecret) setAsking(null);
  }
  return (
    <Card title={t('secret.title')}>
      <div className="stack">
        <p className="quiet">{t('secret.text')}</p>
        {shown?.signingSecret && <Secret value={shown.signingSecret} />}
        {shown?.previousSecretExpiresAt && (
          <p className="small">
            {t('secret.previous')} <Exact at={shown.previousSecretExpiresAt} />
          </p>
        )}
        {error && !isAsking && <CallProblem error={error} />}
        <div className="row">
          {!shown && (
            <Button
              icon="key"
              isBusy={revealed.fetching}
              onPress={() => (can.admin ? void reveal({ id: connectionId }) : setAsking('keys'))}
            >
              {t('secret.show')}
            </Button>
          )}
          <Button icon="retry" onPress={() => setAsking(can.admin ? 'rotate' : 'keys')}>
            {t('secret.rotate')}
          </Button>
        </div>
      </div>
      {isAsking === 'keys' && !can.admin && (
        <Window title={t('secret.title')} onClose={() => setAsking(null)}>
          <NeedsKeys why={t('secret.needsKeys')} scope="ADMIN" />
        </Window>
      )}
      {isAsking === 'rotate' && (
        <ConfirmWindow
          title={t('secret.rotateTitle')}
          text={t('secret.rotateText')}
          button={t('secret.rotate')}
          isBusy={rotated.fetching}
          error={rotated.error}
          errors={rotated.data?.rotateSigningSecret.userErrors}
          onConfirm={() => void replace()}
          onClose={() => setAsking(null)}
        />
      )}
      <OtherErrors errors={revealed.data?.revealSigningSecret.userErrors ?? []} />
    </Card>
  );
}
