import { columnIdentity } from './Cipher.js';

/** A column with ciphertexts or nulls. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
  /** The primary key, in whose order the table is read. */
  readonly key: string;
  readonly keyType: 'bigint' | 'uuid';
  /** Returns the identity of the row with this key. */
  readonly identity: (key: string) => string;
}

type Place = Omit<EncryptedColumn, 'identity'>;

const connections = { table: 'connections', key: 'id', keyType: 'bigint' } as const;
const authorizations = { table: 'authorizations', key: 'id', keyType: 'uuid' } as const;
const credentials = { table: 'credentials', key: 'connection_id', keyType: 'bigint' } as const;
const events = { table: 'events', key: 'id', keyType: 'uuid' } as const;

/** The type requires an entry for each identity, so a new identity does not compile without its columns. */
const places: Record<keyof typeof columnIdentity, readonly Place[]> = {
  authConfig: [{ ...connections, column: 'auth_config' }],
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
  // Stored in the data of a background job, which is done or given up within hours, so it is not re-encrypted.
  revokedToken: [],
  // Encrypted under the key that it stands for, and deleted with it.
  canary: [],
};

/** Every column with ciphertexts, the largest table last. */
export const encryptedColumns: readonly EncryptedColumn[] = Object.entries(places).flatMap(([name, ofIdentity]) => {
  // The driver returns a bigint as text, and the identity contains the number as the same text.
  const identity = columnIdentity[name as keyof typeof columnIdentity] as (key: string) => string;
  return ofIdentity.map((place) => ({ ...place, identity }));
});
