import { useTranslation } from 'react-i18next';
import type { CombinedError } from 'urql';
import { codeOf } from '../api/createClient.js';
import { Button } from './Button.js';
import { Note } from './Page.js';

export interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
}

/** Says why a call failed, in words, and offers to try again. */
export function CallProblem({ error, onRetry }: { readonly error: CombinedError; readonly onRetry?: () => void }) {
  const { t } = useTranslation();
  const code = codeOf(error);
  const known = (['FORBIDDEN', 'RATE_LIMITED'] as const).find((one) => one === code);
  const text = known ? t(`problems.${known}`) : error.networkError && !code ? t('problems.network') : messageOf(error);
  return (
    <Note tone="bad" title={text} actions={onRetry && <Button onPress={onRetry}>{t('tryAgain')}</Button>}>
      {known && <p className="small">{messageOf(error)}</p>}
    </Note>
  );
}

const messageOf = (error: CombinedError): string => error.graphQLErrors[0]?.message ?? error.message;

/** Returns the sentence of the error whose path ends with a field's name. */
export function errorAt(errors: readonly UserError[], field: string): string | undefined {
  return errors.find(({ path }) => path.includes(field))?.message;
}

/** Shows those errors that belong to none of a form's fields. */
export function OtherErrors({ errors, fields = [] }: { errors: readonly UserError[]; fields?: readonly string[] }) {
  const others = errors.filter(({ path }) => !path.some((part) => fields.includes(part)));
  return others.map(({ message }) => <Note key={message} tone="bad" title={message} />);
}
