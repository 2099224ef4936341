/** The configuration of a connection type in the bodies and answers of REST. */
export interface RestPart {
  /** What people call the type: `Webhook`. */
  readonly label: string;
  /** JSON schema of the configuration in the body that creates one. */
  readonly createSchema: object;
  /** JSON schemas of the fields in the body that updates one. The types share that body: where two name a field, its schema is the same. */
  readonly updateFields: Readonly<Record<string, object>>;
  /** JSON schemas of the fields in answers, shared alike. */
  readonly answerFields: Readonly<Record<string, object>>;
  /** What answers hold, to go on a list of such: `for a webhook, where and how it is called`. */
  readonly answerDescription: string;
  /** The type's own input, from a configuration that satisfied its schema; undefined when it takes none. */
  toInput(configuration: object): object | undefined;
  /** The stored configuration as answers have it. */
  present(configuration: object): object;
  /** Where a part of the input, below the type's name, is in the body's configuration. Null: under the same names, in snake case. */
  toBodyPath?(path: readonly string[], configuration: object): readonly string[] | null;
}

/** A connection type as REST knows it. */
export interface RestConnectionType {
  readonly name: string;
  readonly needsAuthorization: boolean;
  readonly rest: RestPart;
}
