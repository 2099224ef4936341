import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../design/Button.js';
import { Field } from '../design/Field.js';
import { Brand } from '../design/Icon.js';
import { Note } from '../design/Page.js';
import { embeddedToken } from '../embedding.js';
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
  const known = ['SESSION_EXPIRED', 'SESSION_ENDED', 'UNREACHABLE'] as const;
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

interface KeysFormProps {
  readonly submit: (keys: Keys) => Promise<SignInProblem | null>;
  readonly button: string;
}

function KeysForm({ submit, button }: KeysFormProps) {
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
      {problem && <Note tone="bad" title={t(`signIn.problems.${problem}`)} />}
      <Button type="submit" kind="main" isBusy={isBusy}>
        {button}
      </Button>
    </form>
  );
}

/** Stands where something needs keys that a reload forgot, or that a session never had. */
export function NeedsKeys({ why }: { readonly why: string }) {
  const { t } = useTranslation();
  const { giveKeys } = useAccess();
  return (
    <div className="stack">
      <Note tone="still" title={t('signIn.again')}>
        {why}
      </Note>
      <KeysForm submit={giveKeys} button={t('signIn.continue')} />
    </div>
  );
}
