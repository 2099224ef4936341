export interface GraphiqlOptions {
  /** Where browsers reach this server. */
  readonly publicUrl: string;
  /** Prefilled in the headers editor, and thereby readable for whoever gets the page: for embedded mode alone, and shown to browsers on this machine alone. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Opened as tabs, in this order, by a browser that has no tabs of its own yet. */
  readonly examples: readonly GraphiqlExample[];
}

export interface GraphiqlExample {
  /** Stands as a comment above the query; the tab itself is titled with the operation's name. */
  readonly name: string;
  readonly query: string;
  /** JSON. */
  readonly variables?: string;
}
