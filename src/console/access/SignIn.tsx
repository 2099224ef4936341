import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { Button } from '../design/Button.js';
import { Field } from '../design/Field.js';
import { Brand } from '../design/Icon.js';
import { Note } from '../design/Page.js';
import { CallProblem } from '../design/Problems.js';
import { embeddedToken } from '../embedding.js';
import type { ApiKeyScope } from '../graphql/graphql.js';
import { type SignInProblem, useAccess } from './Access.js';
import { type Keys, settings } from './credential.js';

interface SignInProps {
  readonly signIn: (keys: Keys) => Promise<SignInProblem | null>;
  /** The code of why the caller is out; null at first. */
  readonly reason: string | null;
}

/** The way in for whoever has keys, and the explanation for whoever came with a session that is over. */
export function SignIn({ signIn, reason }: SignInProps) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${t('signIn.title')} · Switchboard`;
  }, [t]);
  const known = ['SESSION_EXPIRED', 'SESSION_ENDED'] as const;
  const why = known.find((code) => code === reason) ?? 'UNAUTHENTICATED';
  return (
    <div className="door">
      <main>
        <div className="brand">
          <Brand />
          Switchboard
        </div>
        <div className="card">
          <h1>{t('signIn.title')}</h1>
          {reason && (
            <Note tone="wait" title={t(`signIn.over.${why}.title`)}>
              {t(`signIn.over.${why}.text`)}
            </Note>
          )}
          {embeddedToken === null && (
            <>
              <KeysForm submit={signIn} button={t('signIn.button')} />
              <p className="quiet small">{settings.defaultKeys ? t('signIn.filledIn') : t('signIn.where')}</p>
            </>
          )}
        </div>
      </main>
    </div>
  );
}

interface TroubleProps {
  readonly error: CombinedError;
  readonly onRetry: () => void;
  readonly onLeave: () => void;
}

/** Stands in for the console while the server does not say whether the session is valid. The session is kept. */
export function Trouble({ error, onRetry, onLeave }: TroubleProps) {
  const { t } = useTranslation();
  return (
    <div className="door">
      <main>
        <div className="brand">
          <Brand />
          Switchboard
        </div>
        <div className="card">
          <h1>{t('signIn.trouble.title')}</h1>
          <p>{t('signIn.trouble.text')}</p>
          <CallProblem error={error} onRetry={onRetry} />
          {embeddedToken === null && <Button onPress={onLeave}>{t('menu.signOut')}</Button>}
        </div>
      </main>
    </div>
  );
}

interface KeysFormProps {
  readonly submit: (keys: Keys) => Promise<SignInProblem | null>;
  readonly button: string;
  /** What the keys have to be allowed. */
  readonly scopes?: readonly ApiKeyScope[];
}

function KeysForm({ submit, button, scopes = [] }: KeysFormProps) {
  const { t } = useTranslation();
  const [publicKey, setPublicKey] = useState(settings.defaultKeys?.publicKey ?? '');
  const [secretKey, setSecretKey] = useState(settings.defaultKeys?.secretKey ?? '');
  const [problem, setProblem] = useState<SignInProblem | null>(null);
  const [isBusy, setBusy] = useState(false);
  async function send(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setProblem(await submit({ publicKey: publicKey.trim(), secretKey: secretKey.trim() }));
    setBusy(false);
  }
  return (
    <form className="stack" onSubmit={(event) => void send(event)}>
      <Field label={t('signIn.publicKey')} value={publicKey} onChange={setPublicKey} isRequired autoComplete="username" />
      <Field label={t('signIn.secretKey')} value={secretKey} onChange={setSecretKey} isRequired type="password" />
      {problem && <Note tone="bad" title={t(`signIn.problems.${problem}`, { scopes: scopes.join(', ') })} />}
      <Button type="submit" kind="main" isBusy={isBusy}>
        {button}
      </Button>
    </form>
  );
}

interface NeedsKeysProps {
  readonly why: string;
  /** What the keys have to be allowed. */
  readonly scope: ApiKeyScope;
}

/** Stands where something needs keys that a reload forgot, or that a session never had. */
export function NeedsKeys({ why, scope }: NeedsKeysProps) {
  const { t } = useTranslation();
  const { giveKeys } = useAccess();
  // Without READ, the console shows nothing.
  const scopes = scope === 'READ' ? [scope] : (['READ', scope] as const);
  return (
    <div className="stack">
      <Note tone="still" title={t('signIn.again')}>
        {why}
      </Note>
      <KeysForm submit={(keys) => giveKeys(keys, scopes)} button={t('signIn.continue')} scopes={scopes} />
    </div>
  );
}
