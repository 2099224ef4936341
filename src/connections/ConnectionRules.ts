import { type Cipher, columnIdentity } from '../database/Cipher.js';
import type { Database } from '../database/Database.js';
import type { ProblemList } from '../domain/errors.js';

/** What a connection type says of its connections to whoever creates and changes them. */
export interface ConnectionRules {
  /** As it is stored and as REST writes it; GraphQL has it in capitals, and names the type's own input field so. */
  readonly name: string;
  /**
   * True when a merchant has to link an account first: a new connection is PENDING_AUTHORIZATION instead of ACTIVE, and its
   * configuration holds the `scopes` that it asks for.
   */
  readonly needsAuthorization: boolean;
  /** True when nobody can create a connection without an input of the type's own. */
  readonly needsConfiguration: boolean;
  /**
   * Checks the type's own input, merged over what is stored when there is a connection already. Problems go to the list, with
   * paths that begin with the type's name; what is returned then is not stored.
   */
  check(input: object, stored: StoredConfiguration | null, problems: ProblemList): StoredConfiguration;
  /** What is unusual about an input that was accepted. */
  warn?(input: object): readonly Warning[];
}

export interface StoredConfiguration {
  /** What everybody may see who may see the connection. */
  readonly configuration: object;
  /** Stored encrypted; null when there are none. */
  readonly secrets: object | null;
}

/** Something about an input that was accepted, and that somebody may want to look at. */
export interface Warning {
  readonly code: 'UNKNOWN_SCOPE';
  readonly message: string;
  readonly path: readonly string[];
}

/** What creating and updating need. */
export interface ConnectionDependencies {
  readonly database: Database;
  readonly cipher: Cipher;
  /** By name. */
  readonly connectionTypes: ReadonlyMap<string, ConnectionRules>;
}

/** What an input says of a connection, whichever its type. */
export interface ConnectionInput extends PaceInput {
  /** Null or blank: no name. */
  readonly name?: string | null;
  /** What the organization's own system calls it; null: nothing. */
  readonly externalId?: string | null;
  /** All of it, not only what changes; null: none. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** What the fields of the types hold, by the type's name. */
  readonly configurations?: Readonly<Record<string, object | null | undefined>>;
}

/** The input of the connection's own type; what is meant for other types is a problem. */
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

/** What is unusual about the parts of an accepted input. */
export function warningsOf(
  { connectionTypes }: Pick<ConnectionDependencies, 'connectionTypes'>,
  { configurations = {} }: ConnectionInput,
): readonly Warning[] {
  return [...connectionTypes.values()].flatMap((type) => {
    const own = configurations[type.name];
    return (own && type.warn?.(own)) || [];
  });
}

/** Secrets as a column holds them, bound to the row. */
export function encryptSecrets(cipher: Cipher, connectionId: number, secrets: object): string {
  return cipher.encrypt(JSON.stringify(secrets), columnIdentity.webhookAuthConfig(connectionId));
}

export function decryptSecrets(cipher: Cipher, connectionId: number, column: string | null | undefined): object | null {
  return column ? JSON.parse(cipher.decrypt(column, columnIdentity.webhookAuthConfig(connectionId))) : null;
}

const MAX_NAME_LENGTH = 200;

/** A connection's name: trimmed, one line, at most 200 characters; blank means none. */
export function checkName(name: string | null | undefined, problems: ProblemList): string | null {
  const trimmed = name?.trim() ?? '';
  if (trimmed.length > MAX_NAME_LENGTH) problems.add('INVALID', `A name has at most ${MAX_NAME_LENGTH} characters.`, 'name');
  if (/\p{Cc}/u.test(trimmed)) problems.add('INVALID', 'A name has no control characters.', 'name');
  return trimmed === '' ? null : trimmed;
}

/** What a connection may be given at most, over all processes; null and undefined as in the inputs. */
interface PaceInput {
  readonly maxConcurrency?: number | null;
  readonly maxPerSecond?: number | null;
}

const MOST = { maxConcurrency: 1_000, maxPerSecond: 10_000 } as const;

/** Checks how much a connection may be given. Problems go to the list. */
export function checkPace(input: PaceInput, problems: ProblemList): void {
  for (const name of ['maxConcurrency', 'maxPerSecond'] as const) {
    const value = input[name];
    if (value === null || value === undefined) continue;
    if (value < 1) problems.add('MIN_VALUE', `${name} is at least 1; null takes the limit away.`, name);
    if (value > MOST[name]) problems.add('MAX_VALUE', `${name} is at most ${MOST[name]}.`, name);
  }
}
