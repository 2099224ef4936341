import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database } from '../database/Database.js';
import type { ProblemList } from '../domain/errors.js';

/** The rules of a connection type for creating and updating its connections. */
export interface ConnectionRules {
  /** The name in the database and in REST. GraphQL writes it in capitals, and names the type's input field by it. */
  readonly name: string;
  /**
   * True when a merchant must link an account first. A new connection is then PENDING_AUTHORIZATION instead of ACTIVE, and
   * its configuration contains the `scopes` that it requests.
   */
  readonly needsAuthorization: boolean;
  /** True when creating a connection requires the type's own input. */
  readonly needsConfiguration: boolean;
  /**
   * Validates the type's own input, merged over the stored configuration of an existing connection. Problems are added to
   * the list, with paths that begin with the type's name. When there are problems, the result is not stored.
   */
  check(input: object, stored: StoredConfiguration | null, problems: ProblemList): StoredConfiguration;
  /** Returns warnings about an accepted input. */
  warn?(input: object): readonly Warning[];
}

export interface StoredConfiguration {
  /** Visible to everyone who may see the connection. */
  readonly configuration: object;
  /** Stored encrypted. Null when there are none. */
  readonly secrets: object | null;
}

/** A remark about an accepted input that may be a mistake. */
export interface Warning {
  readonly code: 'UNKNOWN_SCOPE';
  readonly message: string;
  readonly path: readonly string[];
}

/** What creating and updating connections need. */
export interface ConnectionDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  /** By name. */
  readonly connectionTypes: ReadonlyMap<string, ConnectionRules>;
}

/** The input of a connection of any type. */
export interface ConnectionInput extends PaceInput {
  /** Null or blank: no name. */
  readonly name?: string | null;
  /** The organization's own name for the connection. Null: none. */
  readonly externalId?: string | null;
  /** The whole metadata, which replaces the stored one. Null: none. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** The input fields of the types, by the type's name. */
  readonly configurations?: Readonly<Record<string, object | null | undefined>>;
}

/** Returns the input for the connection's own type. Input for another type is a problem. */
export function ownInput(
  connectionTypes: ConnectionDependencies['connectionTypes'],
  type: string,
  { configurations = {} }: ConnectionInput,
  problems: ProblemList,
): object | null {
  for (const other of connectionTypes.keys()) {
    if (other === type || !configurations[other]) continue;
    problems.add('INVALID', `A ${type} connection takes no "${other}" configuration.`, other);
  }
  return configurations[type] ?? null;
}

/** Returns the warnings about an accepted input. */
export function warningsOf(
  { connectionTypes }: Pick<ConnectionDependencies, 'connectionTypes'>,
  { configurations = {} }: ConnectionInput,
): readonly Warning[] {
  return [...connectionTypes.values()].flatMap((type) => {
    const own = configurations[type.name];
    return (own && type.warn?.(own)) || [];
  });
}

/** Encrypts secrets for their column, bound to the row. */
export function encryptSecrets(cipher: Cipher, connectionId: number, secrets: object): string {
  return cipher.encrypt(JSON.stringify(secrets), columnIdentity.authConfig(connectionId));
}

export function decryptSecrets(cipher: Cipher, connectionId: number, column: string | null | undefined): object | null {
  return column ? JSON.parse(cipher.decrypt(column, columnIdentity.authConfig(connectionId))) : null;
}

const MAX_NAME_LENGTH = 200;

/** Validates a connection's name: trimmed, one line, at most 200 characters. Blank means none. */
export function checkName(name: string | null | undefined, problems: ProblemList): string | null {
  const trimmed = name?.trim() ?? '';
  if (trimmed.length > MAX_NAME_LENGTH) problems.add('INVALID', `A name has at most ${MAX_NAME_LENGTH} characters.`, 'name');
  if (/\p{Cc}/u.test(trimmed)) problems.add('INVALID', 'A name has no control characters.', 'name');
  return trimmed === '' ? null : trimmed;
}

/** Limits of a connection's deliveries, over all processes. Null and undefined have the same meaning as in the inputs. */
interface PaceInput {
  readonly maxConcurrency?: number | null;
  readonly maxPerSecond?: number | null;
}

const MOST = { maxConcurrency: 1_000, maxPerSecond: 10_000 } as const;

/** Validates the limits. Problems are added to the list. */
export function checkPace(input: PaceInput, problems: ProblemList): void {
  for (const name of ['maxConcurrency', 'maxPerSecond'] as const) {
    const value = input[name];
    if (value === null || value === undefined) continue;
    if (value < 1) problems.add('MIN_VALUE', `${name} is at least 1; null takes the limit away.`, name);
    if (value > MOST[name]) problems.add('MAX_VALUE', `${name} is at most ${MOST[name]}.`, name);
  }
}
