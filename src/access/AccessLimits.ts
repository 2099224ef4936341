/** How often somebody may call; 0 a minute means as often as they like. */
export interface AccessLimits {
  /** Of one organization, reads and writes each. */
  readonly requestsPerMinute: number;
  /** Wrong credentials from one address. */
  readonly failedLoginsPerMinute: number;
  /** Access tokens of one key that work at the same time. */
  readonly accessTokensPerKey: number;
}
