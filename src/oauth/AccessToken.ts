/** An access token that is good now, as far as we know. */
export interface AccessToken {
  readonly token: string;
  /** The version of the credential it is from: name it when the API refuses the token. */
  readonly version: number;
  /** The provider's id of the account that it is for; null where that could not be read. */
  readonly accountId: string | null;
}

/** There is none, and only a new authorization will give one. */
export class GrantLost extends Error {
  override readonly name = 'GrantLost';
}
