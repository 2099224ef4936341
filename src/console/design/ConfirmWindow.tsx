import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { Button } from './Button.js';
import { CallProblem, OtherErrors, type UserError } from './Problems.js';
import { Window } from './Window.js';

interface ConfirmWindowProps {
  readonly title: string;
  /** What will be lost. */
  readonly text: string;
  readonly button: string;
  readonly isBusy: boolean;
  readonly error?: CombinedError;
  readonly errors?: readonly UserError[];
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before something is done that nobody can undo. */
export function ConfirmWindow({ title, text, button, isBusy, error, errors = [], onConfirm, onClose }: ConfirmWindowProps) {
  const { t } = useTranslation();
  return (
    <Window title={title} onClose={onClose} isAlert>
      <p>{text}</p>
      {error && <CallProblem error={error} />}
      <OtherErrors errors={errors} />
      <div className="end">
        <Button onPress={onClose}>{t('cancel')}</Button>
        <Button kind="danger main" isBusy={isBusy} onPress={onConfirm}>
          {button}
        </Button>
      </div>
    </Window>
  );
}
