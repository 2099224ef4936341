import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button.js';

/** Copies a text, and says that it did. */
export function CopyButton({ text, label }: { readonly text: string; readonly label?: string }) {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  }
  return (
    <>
      <Button icon={isCopied ? 'check' : 'copy'} onPress={() => void copy()}>
        {label ?? t('copy')}
      </Button>
      <span role="status" className="unseen">
        {isCopied ? t('copied') : ''}
      </span>
    </>
  );
}

/** A secret that is shown once, with a button that copies it. */
export function Secret({ value }: { readonly value: string }) {
  return (
    <div className="secret">
      <code>{value}</code>
      <CopyButton text={value} />
    </div>
  );
}

/** A text as it is: JSON, a body, an operation. It scrolls by keyboard, too. */
export function Code({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    // biome-ignore lint/a11y/useSemanticElements: it is no set of fields
    <div className="code" role="group" aria-label={label} tabIndex={0}>
      <code>{text}</code>
    </div>
  );
}

export const prettyJson = (value: unknown): string => JSON.stringify(value, null, 2);
