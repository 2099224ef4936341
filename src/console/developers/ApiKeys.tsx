import { type FormEvent, useState } from 'react';
import { Checkbox, CheckboxGroup, Label } from 'react-aria-components';
import { useTranslation } from 'react-i18next';
import { useMutation, useQuery } from 'urql';
import { Badge } from '../design/Badge.js';
import { Button } from '../design/Button.js';
import { Secret } from '../design/Code.js';
import { ConfirmWindow } from '../design/ConfirmWindow.js';
import { Field } from '../design/Field.js';
import { Icon } from '../design/Icon.js';
import { OperationButton } from '../design/OperationButton.js';
import { Card, Note, Skeleton } from '../design/Page.js';
import { CallProblem, errorAt, OtherErrors } from '../design/Problems.js';
import { Ago } from '../design/Time.js';
import { Window } from '../design/Window.js';
import { graphql } from '../graphql/gql.js';
import type { ApiKeyRowFragment, ApiKeyScope } from '../graphql/graphql.js';

const KEYS = graphql(`
  query ApiKeys { apiKeys(first: 100) { edges { node { ...ApiKeyRow } } } }
`);

export const API_KEY_ROW = graphql(`
  fragment ApiKeyRow on ApiKey { id name publicKey scopes oauthOnly createdAt lastUsedAt revokedAt }
`);

const CREATE = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { apiKey { ...ApiKeyRow } secretKey userErrors { code message path } }
  }
`);

const REVOKE = graphql(`
  mutation RevokeApiKey($id: ID!) {
    revokeApiKey(input: { id: $id }) { apiKey { ...ApiKeyRow } userErrors { code message path } }
  }
`);

const SCOPES = ['READ', 'MANAGE', 'PUBLISH', 'ADMIN'] as const satisfies readonly ApiKeyScope[];

/** The keys of the organization: made, shown once, revoked. */
export function ApiKeys() {
  const { t } = useTranslation();
  const [{ data, error }, read] = useQuery({ query: KEYS, requestPolicy: 'cache-and-network' });
  const [isCreating, setCreating] = useState(false);
  return (
    <Card
      title={t('developers.parts.keys')}
      actions={
        <>
          <OperationButton document={KEYS} />
          <Button icon="plus" onPress={() => setCreating(true)}>
            {t('keys.add')}
          </Button>
        </>
      }
      isFlush
    >
      {error && <CallProblem error={error} onRetry={() => read({ requestPolicy: 'network-only' })} />}
      {!data && !error && <Skeleton label={t('loading')} />}
      {data && (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('keys.key')}</th>
              <th scope="col">{t('keys.scopes')}</th>
              <th scope="col">{t('keys.lastUsed')}</th>
              <th scope="col">
                <span className="unseen">{t('actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {data.apiKeys.edges.map(({ node }) => (
              <KeyLine key={node.id} apiKey={node} />
            ))}
          </tbody>
        </table>
      )}
      {isCreating && <NewKey onClose={() => setCreating(false)} />}
    </Card>
  );
}

function KeyLine({ apiKey }: { readonly apiKey: ApiKeyRowFragment }) {
  const { t } = useTranslation();
  const [isRevoking, setRevoking] = useState(false);
  const [{ fetching, data, error }, revoke] = useMutation(REVOKE);
  const { id, name, publicKey, scopes, lastUsedAt, revokedAt } = apiKey;
  async function confirm(): Promise<void> {
    if ((await revoke({ id })).data?.revokeApiKey.apiKey) setRevoking(false);
  }
  return (
    <tr>
      <td>
        <span className="name">{name ?? t('keys.nameless')}</span>
        <br />
        <code className="quiet">{publicKey}</code>
      </td>
      <td>{scopes.join(', ')}</td>
      <td className="quiet">{lastUsedAt ? <Ago at={lastUsedAt} /> : t('keys.never')}</td>
      <td className="end">
        {revokedAt ? (
          <Badge tone="still" icon="cross" text={t('keys.revoked')} />
        ) : (
          <Button kind="danger" onPress={() => setRevoking(true)}>
            {t('keys.revoke')}
          </Button>
        )}
        {isRevoking && (
          <ConfirmWindow
            title={t('keys.revokeTitle')}
            text={t('keys.revokeText', { key: name ?? publicKey })}
            button={t('keys.revoke')}
            isBusy={fetching}
            error={error}
            errors={data?.revokeApiKey.userErrors}
            onConfirm={() => void confirm()}
            onClose={() => setRevoking(false)}
          />
        )}
      </td>
    </tr>
  );
}

function NewKey({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['READ']);
  const [{ fetching, data, error }, create] = useMutation(CREATE);
  const errors = data?.createApiKey.userErrors ?? [];
  const secret = data?.createApiKey.secretKey;
  function send(event: FormEvent): void {
    event.preventDefault();
    if (!fetching) void create({ input: { name: name.trim() || null, scopes: scopes as ApiKeyScope[] } });
  }
  if (secret) {
    return (
      <Window title={t('keys.made')} onClose={onClose} isAlert>
        <Note tone="wait" title={t('keys.once')} />
        <div className="field">
          <span className="label">{t('signIn.publicKey')}</span>
          <Secret value={data?.createApiKey.apiKey?.publicKey ?? ''} />
        </div>
        <div className="field">
          <span className="label">{t('signIn.secretKey')}</span>
          <Secret value={secret} />
        </div>
        <div className="end">
          <Button kind="main" onPress={onClose}>
            {t('keys.kept')}
          </Button>
        </div>
      </Window>
    );
  }
  return (
    <Window title={t('keys.add')} onClose={onClose}>
      <form className="stack" onSubmit={send}>
        <Field label={t('keys.name')} value={name} onChange={setName} error={errorAt(errors, 'name')} />
        <CheckboxGroup className="field" value={scopes} onChange={setScopes}>
          <Label>{t('keys.scopes')}</Label>
          <div className="kinds">
            {SCOPES.map((scope) => (
              <Checkbox key={scope} value={scope} className="kind">
                {({ isSelected }) => (
                  <>
                    <strong>
                      <Icon name={isSelected ? 'check' : 'dot'} />
                      {scope}
                    </strong>
                    <span className="small quiet">{t(`keys.scopeHints.${scope}`)}</span>
                  </>
                )}
              </Checkbox>
            ))}
          </div>
        </CheckboxGroup>
        {error && <CallProblem error={error} />}
        <OtherErrors errors={errors} fields={['name']} />
        <div className="end">
          <Button onPress={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="main" isBusy={fetching} isDisabled={scopes.length === 0}>
            {t('keys.create')}
          </Button>
        </div>
      </form>
    </Window>
  );
}
