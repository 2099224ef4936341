/** What is left of one limit of an account at a provider, for everybody. */
export interface AccountQuota {
  /** The provider's id of it. */
  readonly account: string;
  readonly endpoint: string;
  readonly perSecondLimit: number;
  readonly perSecondRemaining: number;
  readonly perMinuteLimit: number;
  readonly perMinuteRemaining: number;
  /** When the minute ends. */
  readonly resetsAt: Date;
  /** Nothing is sent before, since the provider said so; null otherwise. */
  readonly pausedUntil: Date | null;
}
