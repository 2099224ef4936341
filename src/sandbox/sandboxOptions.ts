/** What whoever mounts the sandbox decides about it. */
export interface SandboxOptions {
  /** The OAuth app of whoever mounts the sandbox. Others can be added on its page. */
  clientId: string;
  clientSecret: string;
  /** Compared as whole strings, never by prefix or after normalizing. */
  redirectUris: string[];
  /** The scopes the app is set up with. Others may be asked for and are silently left out of the grant. */
  appScopes: string[];
  /** Public URL of the mount point, without a slash at the end, such as http://localhost:4000/sandbox. */
  baseUrl: () => string;
  /** When set, accounts, grants and recent events outlive the process in this file (JSON, mode 600). */
  stateFile?: string;
  /** How long access tokens live, when they are issued; as long as Klaviyo's (an hour) without it. */
  accessTokenSeconds?: () => number;
  /** Milliseconds since 1970. Tests move it to let tokens grow old. */
  now?: () => number;
}
