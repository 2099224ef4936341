/** A running server, as its users see it. */
export interface EmbeddedPostgres {
  /** Of the database `switchboard`, as a superuser who may create others beside it. */
  readonly url: string;
  /** Whether the server was running already: left behind by a killed process, or shared with a living one. */
  readonly adopted: boolean;
  /** Stops the server, unless it is shared with the process that owns it: then that one will. May be called again. */
  stop(): Promise<void>;
}
