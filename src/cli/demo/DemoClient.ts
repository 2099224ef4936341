/** Calls the GraphQL API and prints each step. */
export class DemoClient {
  #step = 0;

  constructor(
    readonly publicUrl: string,
    private readonly keys: { readonly publicKey: string; readonly secretKey: string },
  ) {}

  /** Prints the next step. */
  step(title: string): void {
    this.#step += 1;
    console.log(`\n${this.#step}. ${title}`);
  }

  say(line: string): void {
    console.log(`   ${line}`);
  }

  /** Calls the API. Throws on errors and userErrors. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the query asks for
  async call(query: string, variables: object = {}): Promise<any> {
    const response = await fetch(`${this.publicUrl}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${this.keys.publicKey}:${this.keys.secretKey}`).toString('base64')}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as {
      data?: Record<string, { userErrors?: unknown[] } | null>;
      errors?: unknown;
    };
    if (errors || !data) throw new Error(`GraphQL answered ${response.status}: ${JSON.stringify(errors)}`);
    const [answer] = Object.values(data);
    if (answer?.userErrors?.length) throw new Error(`The input was refused: ${JSON.stringify(answer.userErrors)}`);
    return answer;
  }
}

/** Fails the demo when a condition is false. */
export function expectThat(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Expected ${what}.`);
}
