/** The configuration of a connection type in REST bodies and responses. */
export interface RestPart {
  /** Display name of the type: `Webhook`. */
  readonly label: string;
  /** JSON schema of the configuration in the body that creates a connection. */
  readonly createSchema: object;
  /**
   * JSON schemas of the fields in the body that updates a connection. All types share that body: a field that two types
   * define has the same schema in both.
   */
  readonly updateFields: Readonly<Record<string, object>>;
  /** JSON schemas of the fields in responses. All types share them in the same way. */
  readonly answerFields: Readonly<Record<string, object>>;
  /** What the configuration in a response contains, as an item of a list: `for a webhook, where and how it is called`. */
  readonly answerDescription: string;
  /** Returns the type's own input for a configuration that satisfied its schema. Undefined when the type takes no input. */
  toInput(configuration: object): object | undefined;
  /** Returns the stored configuration as a response shows it. */
  present(configuration: object): object;
  /**
   * Returns the path in the body's configuration for a path in the input, both without the type's name. Null: it has the
   * same names in snake case.
   */
  toBodyPath?(path: readonly string[], configuration: object): readonly string[] | null;
}

/** A connection type in REST. */
export interface RestConnectionType {
  readonly name: string;
  readonly needsAuthorization: boolean;
  readonly rest: RestPart;
}
