import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { stringifyDocument, type TypedDocumentNode } from 'urql';
import { Button } from './Button.js';
import { Code, CopyButton, prettyJson } from './Code.js';
import { Window } from './Window.js';

interface OperationButtonProps {
  // biome-ignore lint/suspicious/noExplicitAny: any operation
  readonly document: TypedDocumentNode<any, any>;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Shows the GraphQL operation behind a screen, and opens it in GraphiQL. */
export function OperationButton({ document, variables = {} }: OperationButtonProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const query = stringifyDocument(document).replace(/^\s*__typename\n/gm, '');
  const json = prettyJson(variables);
  // The address' fragment is never sent, so a server's log never has it.
  const address = `/graphiql#${new URLSearchParams({ query, variables: json })}`;
  return (
    <>
      <Button kind="plain" onPress={() => setOpen(true)}>
        GraphQL
      </Button>
      {isOpen && (
        <Window title={t('operation.title')} onClose={() => setOpen(false)} isWide>
          <p className="quiet">{t('operation.text')}</p>
          <Code text={query} label={t('operation.title')} />
          {Object.keys(variables).length > 0 && <Code text={json} label={t('operation.variables')} />}
          <div className="end">
            <CopyButton text={query} />
            <a className="button main" href={address} target="_blank" rel="noreferrer">
              {t('operation.open')}
            </a>
            <Button onPress={() => setOpen(false)}>{t('close')}</Button>
          </div>
        </Window>
      )}
    </>
  );
}
