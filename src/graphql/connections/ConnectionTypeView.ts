import type { ApiKeyScope } from '../../domain/ApiKey.js';
import type { Connection } from '../../domain/Connection.js';
import type { Credential } from '../../domain/Credential.js';

/** The part of the GraphQL schema that a connection type adds. */
export interface SchemaPart {
  /**
   * GraphQL SDL. It defines the type of the configuration and of its input, and extends with them the enum `ConnectionType`
   * (by the type's name in capitals), the union `ConnectionConfiguration`, and, under the type's name, the input
   * `ConnectionConfigurationInput`. Values of its enums are stored in lower case.
   */
  readonly schema: string;
  /** Scopes that fields require, by `Type.field`. Other fields need no scope beyond that of the connection. */
  readonly fieldScopes?: Readonly<Record<string, ApiKeyScope>>;
}

/** Shows connections of a type. */
export interface ConnectionTypeView {
  /** Returns the configuration, without secrets. A value that is a function is called when its field is selected. */
  show(connection: Connection, facts: ConnectionFacts): Shown | Promise<Shown>;
}

export interface Shown {
  /** The name of the object type in the schema. */
  readonly __typename: string;
  readonly [field: string]: unknown;
}

/** Reads more about a connection: once for all connections of a list, and counted in the budget of the operation. */
export interface ConnectionFacts {
  /** Returns null when the connection was never authorized. */
  credential(): Promise<Credential | null>;
  /** Returns whether the connection has a subscription, active or paused. */
  isSubscribed(): Promise<boolean>;
  /** Returns what `read` finds for a key. Pass the same function each time, so that its reads are batched. */
  look<Value>(read: ReadMany<Value>, key: string): Promise<Value | null>;
}

/** Returns the values of the keys that exist. */
export type ReadMany<Value> = (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
