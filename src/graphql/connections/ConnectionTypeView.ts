import type { ApiKeyScope } from '../../domain/ApiKey.js';
import type { Connection } from '../../domain/Connection.js';
import type { Credential } from '../../domain/Credential.js';

/** What a connection type adds to the schema. */
export interface SchemaPart {
  /**
   * GraphQL SDL. It defines the type of the configuration and of its input, and extends with them the enum `ConnectionType`
   * (by the type's name in capitals), the union `ConnectionConfiguration`, and, under the type's name, the input
   * `ConnectionConfigurationInput`. Values of its enums are stored in lower case.
   */
  readonly schema: string;
  /** Which scope a field needs, by `Type.field`. Others are part of the connection. */
  readonly fieldScopes?: Readonly<Record<string, ApiKeyScope>>;
}

/** How a connection type shows a connection. */
export interface ConnectionTypeView {
  /** The configuration, without any secret. A value that is a function is called when its field is asked for. */
  show(connection: Connection, facts: ConnectionFacts): Shown | Promise<Shown>;
}

export interface Shown {
  /** Its type in the schema. */
  readonly __typename: string;
  readonly [field: string]: unknown;
}

/** What else is known of a connection. It is read once for all connections of a list, at the expense of the operation. */
export interface ConnectionFacts {
  /** Null when nobody has authorized it yet. */
  credential(): Promise<Credential | null>;
  /** Whether it has a subscription, active or paused. */
  isSubscribed(): Promise<boolean>;
  /** Whatever else a type reads by some key. Pass the same `read` each time. */
  look<Value>(read: ReadMany<Value>, key: string): Promise<Value | null>;
}

/** Reads what there is for each of the keys. */
export type ReadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
