/** A JSON schema of draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of event that can be subscribed to. */
export type EventTypeDefinition<Data extends Record<string, unknown> = Record<string, unknown>> = {
  /** Dotted and lower case, such as `parcels.event.created`. Stored with events and subscriptions: never renamed. */
  readonly name: string;
  /** For a person who decides whether to subscribe. */
  readonly description: string;
  /** What `data` must be, in the body `{ event_type, data }` that a webhook receives. */
  readonly schema: JsonSchema;
  /** `data` of a believable event. Test broadcasts send it, so it must satisfy `schema`. */
  readonly sample: Data;
  /** Only the server itself publishes it; anyone may subscribe. */
  readonly internal?: boolean;
};
