/** The part of oidc-provider that the tests use. The package has no types. */
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export default class Provider {
    constructor(
      issuer: string,
      configuration: {
        findAccount: (context: unknown, id: string) => Promise<{ accountId: string; claims: () => Promise<{ sub: string }> }>;
        [option: string]: unknown;
      },
    );
    callback(): RequestListener;
    readonly AccessToken: { find(token: string): Promise<{ readonly accountId: string } | undefined> };
  }
}
