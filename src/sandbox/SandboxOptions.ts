/** Settings of the program that mounts the sandbox. */
export interface SandboxOptions {
  /** The OAuth app of the program that mounts the sandbox. Others can be added on its page. */
  clientId: string;
  clientSecret: string;
  /** Compared as whole strings, never by prefix or after normalizing. */
  redirectUris: string[];
  /** The scopes that the app is configured with. Other requested scopes are silently left out of the grant. */
  appScopes: string[];
  /** Public URL of the mount point, without a slash at the end, such as http://localhost:4000/sandbox. */
  baseUrl: () => string;
  /** When set, accounts, grants and recent events are kept in this file between processes (JSON, mode 600). */
  stateFile?: string;
  /** Returns the lifetime of an access token that is issued now. Default: Klaviyo's, an hour. */
  accessTokenSeconds?: () => number;
  /** Returns milliseconds since 1970. Tests replace it to let tokens expire. */
  now?: () => number;
}
