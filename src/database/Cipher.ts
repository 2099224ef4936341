import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** A 256-bit key, and the id by which ciphertexts refer to it. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

const VERSION = 'v1';
const TAG_BYTES = 16;
const FORM = /^v1\.([\w-]{1,32})\.[\w-]+$/;

/** Returns the id of the key that a ciphertext names; null for a text that is no ciphertext. */
export function keyIdOf(value: string): string | null {
  return FORM.exec(value)?.[1] ?? null;
}

/**
 * Encrypts column values with AES-256-GCM (NIST SP 800-38D).
 * Form: `v1.<key id>.<base64url of 12-byte nonce, 16-byte tag, ciphertext>`.
 * `identity` names the row and column (`credentials:42:accessToken`) and is authenticated, so a value copied to another row does
 * not decrypt.
 */
export class Cipher {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #current: EncryptionKey;
  #fingerprintKey: Buffer | undefined;

  /** @param keys the first key encrypts, all of them decrypt. */
  constructor(keys: readonly [EncryptionKey, ...EncryptionKey[]]) {
    this.#current = keys[0];
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  /** The id of the key that encrypts. */
  get currentKeyId(): string {
    return this.#current.id;
  }

  /** The ids of all keys that decrypt, the current one first. */
  get keyIds(): readonly string[] {
    return [...this.#keys.keys()];
  }

  /** The prefix of ciphertexts under the current key, and of no others. */
  get currentPrefix(): string {
    return `${VERSION}.${this.#current.id}.`;
  }

  encrypt(plaintext: string, identity: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#current.key, nonce);
    cipher.setAAD(Buffer.from(identity));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return `${this.currentPrefix}${Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** Decrypts a value. Throws when the key is unknown or the value was encrypted for another identity. */
  decrypt(value: string, identity: string): string {
    const [version, keyId, body] = value.split('.');
    const key = keyId === undefined ? undefined : this.#keys.get(keyId);
    if (version !== VERSION || body === undefined) throw new Error(`Not an encrypted value (${identity}).`);
    if (!key) throw new Error(`No key with id "${keyId}" in ENCRYPTION_KEYS: add it back to read ${identity}.`);
    const bytes = Buffer.from(body, 'base64url');
    // Node also accepts shorter tags, which are easier to forge.
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(identity));
    decipher.setAuthTag(bytes.subarray(12, 12 + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(12 + TAG_BYTES)), decipher.final()]).toString('utf8');
  }

  /**
   * Returns a fingerprint by which equal texts of one identity can be recognized: HMAC-SHA-256 under a key derived from the
   * current one (HKDF, RFC 5869). The database alone is not enough to test guesses of the text.
   * Form: `h1.<key id>.<base64url of 32 bytes>`. Two fingerprints are comparable when both are under the same key.
   */
  fingerprint(text: string, identity: string): string {
    this.#fingerprintKey ??= Buffer.from(hkdfSync('sha256', this.#current.key, '', 'switchboard fingerprint', 32));
    const mac = createHmac('sha256', this.#fingerprintKey).update(`${identity}\n`).update(text);
    return `${this.fingerprintPrefix}${mac.digest('base64url')}`;
  }

  /** The prefix of fingerprints under the current key, and of no others. */
  get fingerprintPrefix(): string {
    return `h1.${this.#current.id}.`;
  }

  /** Encrypts a value again under the current key, with the same identity. Throws as `decrypt` does. */
  reencrypt(value: string, identity: string): string {
    return this.encrypt(this.decrypt(value, identity), identity);
  }
}

/** Returns the identity that binds each encrypted column to its row. `encryptedColumns` lists the columns. */
export const columnIdentity = {
  authConfig: (connectionId: number) => `connections:${connectionId}:authConfig`,
  signingSecret: (connectionId: number) => `connections:${connectionId}:signingSecret`,
  recipient: (eventId: string) => `events:${eventId}:recipient`,
  properties: (eventId: string) => `events:${eventId}:properties`,
  codeVerifier: (authorizationId: string) => `authorizations:${authorizationId}:codeVerifier`,
  accessToken: (connectionId: number) => `credentials:${connectionId}:accessToken`,
  refreshToken: (connectionId: number) => `credentials:${connectionId}:refreshToken`,
  keptAnswer: (requestId: string) => `idempotent_requests:${requestId}:answer`,
  revokedToken: (jobId: string) => `revocations:${jobId}:token`,
  erasedPerson: (erasureId: string) => `erasures:${erasureId}:person`,
  canary: (keyId: string) => `encryption_canaries:${keyId}:canary`,
} as const;
