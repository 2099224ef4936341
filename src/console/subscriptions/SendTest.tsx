import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useMutation } from 'urql';
import { titleOf } from '../connections/connectionRow.js';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { Code } from '../design/Code.js';
import { CallProblem, OtherErrors } from '../design/Problems.js';
import { formatDuration } from '../design/Time.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import type { SubscriptionRowFragment } from '../graphql/graphql.js';

const SEND_TEST = graphql(`
  mutation SendTest($id: ID!) {
    broadcastTestEvent(input: { subscriptionId: $id }) {
      result { success statusCode responseBody durationMs error { code message } }
      userErrors { code message path }
    }
  }
`);

/** Sends a sample to a subscription's destination, and shows what it answered. */
export function SendTest({ subscription, onClose }: { subscription: SubscriptionRowFragment; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const [{ fetching, data, error }, send] = useMutation(SEND_TEST);
  const { id, eventType, connection } = subscription;
  const isSent = useRef(false);
  useEffect(() => {
    if (isSent.current) return;
    isSent.current = true;
    void send({ id });
  }, [id, send]);
  const result = fetching ? undefined : data?.broadcastTestEvent.result;
  return (
    <Window title={t('subscriptions.testTitle')} onClose={onClose} isWide>
      <p className="quiet">{t('subscriptions.testText', { eventType, connection: titleOf(connection) })}</p>
      <div role="status" className="stack">
        {fetching && (
          <>
            <p>{t('subscriptions.testing')}</p>
            <div className="progress">
              <div />
            </div>
          </>
        )}
        {result && (
          <>
            <p className="row">
              <Badge
                tone={result.success ? 'good' : 'bad'}
                text={t(result.success ? 'subscriptions.testWorked' : 'subscriptions.testFailed')}
              />
              {result.statusCode !== null && <span>HTTP {result.statusCode}</span>}
              <span className="quiet number">{formatDuration(result.durationMs, i18n.language)}</span>
            </p>
            {result.error && <p>{result.error.message}</p>}
          </>
        )}
      </div>
      {result?.responseBody && <Code text={result.responseBody} label={t('deliveries.response')} />}
      {error && <CallProblem error={error} />}
      <OtherErrors errors={data?.broadcastTestEvent.userErrors ?? []} />
      <div className="end">
        <Button icon="retry" isBusy={fetching} onPress={() => void send({ id })}>
          {t('subscriptions.testAgain')}
        </Button>
        <Button kind="main" onPress={onClose}>
          {t('close')}
        </Button>
      </div>
    </Window>
  );
}
