/** A response of GraphQL, over real HTTP. */
export interface GraphQLAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  readonly data: any;
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly errors: any[] | undefined;
}

/** A caller of the API with the keys of one organization. */
export class GraphQLClient {
  constructor(
    readonly url: string,
    readonly keys: { readonly publicKey: string; readonly secretKey: string; readonly organizationId?: number },
  ) {}

  get authorization(): string {
    return `Basic ${Buffer.from(`${this.keys.publicKey}:${this.keys.secretKey}`).toString('base64')}`;
  }

  /** Returns the response, with or without errors. */
  async send(query: string, variables: object = {}, headers: Record<string, string> = {}): Promise<GraphQLAnswer> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: this.authorization, ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown[] };
    return { status: response.status, headers: response.headers, data, errors: errors as never };
  }

  /** Returns the data. Throws when there are GraphQL errors. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever they asked for
  async query(query: string, variables: object = {}): Promise<any> {
    const { data, errors } = await this.send(query, variables);
    if (errors) throw new Error(`GraphQL answered errors: ${JSON.stringify(errors)}`);
    return data;
  }
}
