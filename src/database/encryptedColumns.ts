import { columnIdentity } from './Cipher.js';

/** A column that holds ciphertexts, or null. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key, by which the table is walked. */
  readonly key: string;
  readonly keyType: 'bigint' | 'uuid';
  /** The identity of the row with this key. */
  readonly identity: (key: string) => string;
}

type Place = Omit<EncryptedColumn, 'identity'>;

const connections = { table: 'connections', key: 'id', keyType: 'bigint' } as const;
const authorizations = { table: 'authorizations', key: 'id', keyType: 'uuid' } as const;
const credentials = { table: 'credentials', key: 'connection_id', keyType: 'bigint' } as const;
const events = { table: 'events', key: 'id', keyType: 'uuid' } as const;

/** A new identity does not compile until it has its place here. */
const places: Record<keyof typeof columnIdentity, readonly Place[]> = {
  webhookAuthConfig: [{ ...connections, column: 'auth_config' }],
  signingSecret: [
    { ...connections, column: 'signing_secret' },
    { ...connections, column: 'previous_signing_secret' },
  ],
  codeVerifier: [{ ...authorizations, column: 'code_verifier' }],
  accessToken: [{ ...credentials, column: 'access_token' }],
  refreshToken: [{ ...credentials, column: 'refresh_token' }],
  keptAnswer: [{ table: 'idempotent_requests', key: 'id', keyType: 'uuid', column: 'answer' }],
  erasedPerson: [{ table: 'erasures', key: 'id', keyType: 'uuid', column: 'person' }],
  recipient: [{ ...events, column: 'recipient' }],
  properties: [{ ...events, column: 'properties' }],
  // In the data of a background job, which is done within hours or given up: left as it is.
  revokedToken: [],
  // Stands for its own key, and goes with it.
  canary: [],
};

/** Every column that holds ciphertexts; the biggest table last. */
export const encryptedColumns: readonly EncryptedColumn[] = Object.entries(places).flatMap(([name, ofIdentity]) => {
  // The driver hands a bigint over as text, and in an identity the number is the same text.
  const identity = columnIdentity[name as keyof typeof columnIdentity] as (key: string) => string;
  return ofIdentity.map((place) => ({ ...place, identity }));
});
